"""A local stand-in for the HubSpot endpoints used here, for demos and tests."""
