"""What holds where nobody says otherwise. Imports nothing, for every command reads it at its start."""

API_VERSIONS = ("v4", "2025-09", "2026-03", "2026-09")
"""HubSpot's API versions that have association limits, oldest first (documented)."""

API_VERSION = "2026-09"
"""HubSpot: new integrations use the latest version (documented); supported until March 2028."""

BASE_URL = "https://api.hubapi.com"

CONCURRENCY = 16
"""Threads and connections of one portal, at most."""

PORTALS_AT_ONCE = 16
"""Portals that one command works with at a time."""

MOST_PORTALS_AT_ONCE = 128
"""Each has up to `CONCURRENCY` threads and connections of its own."""

TIMEOUT = 60.0
"""Seconds for one call, its waits and retries included."""

VERIFY_TIMEOUT = 60.0
"""Seconds that written limits have to show."""

SETTLE = 2.0
"""Seconds that two reads must be apart that are to agree; for 0 one read will do."""
