"""Association limits of HubSpot portals, kept equal to YAML committed in git."""

__version__ = "0.1.0"
