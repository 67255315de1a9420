"""One way to talk HTTP, for HubSpot and the forges: one call with its attempts, waits and deadline."""
