"""API versions of HubSpot and the end of their support."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from reconciler.defaults import API_VERSION, API_VERSIONS


class ApiVersion(StrEnum):
    """The versions that HubSpot supports (documented)."""

    V4, V2025_09, V2026_03, V2026_09 = API_VERSIONS

    @property
    def end_of_support(self) -> date:
        """The last day of support; of 2025-09 it is inferred, of the others documented.

        For v4 two pages of HubSpot differ (March and September 2027): this is the earlier.
        """
        return _END_OF_SUPPORT[self]

    def warning(self, today: date) -> str | None:
        """What to know of the end of support, from 180 days before it on."""
        end = self.end_of_support
        if (end - today).days > _WARNED_DAYS:
            return None
        ends = "ended" if today > end else "ends"
        if self is ApiVersion.V4:
            when = f"{ends} on {end.day} {end:%B %Y}"
        elif self is ApiVersion.V2025_09:
            when = f"{ends} in {end:%B %Y}, which is inferred: HubSpot does not state it"
        else:
            when = f"{ends} in {end:%B %Y}"
        return (
            f"HubSpot's support for API version {self} {when}; use {LATEST} "
            "(api_version in the workspace file, or --api-version)"
        )

    @property
    def helpers(self) -> str:
        """The version of the APIs beside associations; those that go with v4 are v3 (documented)."""
        return "v3" if self is ApiVersion.V4 else str(self)


_WARNED_DAYS = 180
LATEST = ApiVersion(API_VERSION)
_END_OF_SUPPORT = {
    ApiVersion.V4: date(2027, 3, 30),
    ApiVersion.V2025_09: date(2027, 3, 31),
    ApiVersion.V2026_03: date(2027, 9, 30),
    ApiVersion.V2026_09: date(2028, 3, 31),
}
