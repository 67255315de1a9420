"""What differs between HubSpot's API versions (documented; observed where it says so)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Version:
    """One API version and the ways it answers.

    `name`: as the association paths carry it. `helper`: as the paths of object schemas, limits
    tracking and account info carry it. `multi_status`: the status of a batch of which only some
    inputs were accepted; versions that do not document 207 answer 200 and say so in the body.
    """

    name: str
    helper: str
    create_status: int
    purge_status: int
    multi_status: int
    labels_tell_object_types: bool


V4 = Version("v4", "v3", 201, 204, 207, labels_tell_object_types=True)
V2025_09 = Version("2025-09", "2025-09", 200, 200, 200, labels_tell_object_types=False)
V2026_03 = Version("2026-03", "2026-03", 201, 200, 207, labels_tell_object_types=True)
# Purge is documented as 200 with a body and was observed as 204 on this version.
V2026_09 = Version("2026-09", "2026-09", 200, 204, 200, labels_tell_object_types=False)

VERSIONS = (V4, V2025_09, V2026_03, V2026_09)
