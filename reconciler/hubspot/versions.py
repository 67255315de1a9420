"""API versions of HubSpot, with the paths each one has and the end of its support."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from urllib.parse import quote

from reconciler.defaults import API_VERSION, API_VERSIONS
from reconciler.model.limits import Direction
from reconciler.model.plan import Operation

_HELPERS_ONLY = "includeAssociationDefinitions=false&includeAuditMetadata=false&includePropertyDefinitions=false"


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
    def account_path(self) -> str:
        return f"/account-info/{self._helper}/details"

    @property
    def custom_objects_path(self) -> str:
        """Custom object schemas without their properties, which can make megabytes."""
        return f"/crm-object-schemas/{self._helper}/schemas?{_HELPERS_ONLY}"

    @property
    def custom_associations_path(self) -> str:
        """Custom object schemas with their association types, and without their properties."""
        helpers = _HELPERS_ONLY.replace(
            "AssociationDefinitions=false", "AssociationDefinitions=true"
        )
        return f"/crm-object-schemas/{self._helper}/schemas?{helpers}"

    @property
    def all_limits_path(self) -> str:
        return f"/crm/associations/{self}/definitions/configurations/all"

    def limits_path(self, direction: Direction) -> str:
        return self._configurations(*direction.key)

    def labels_path(self, direction: Direction) -> str:
        return f"/crm/associations/{self}/{_pair(*direction.key)}/labels"

    @property
    def usage_types_path(self) -> str:
        return f"{self._usage_prefix}/from"

    def usage_path(self, direction: Direction) -> str:
        return f"{self._usage_prefix}/{_pair(*direction.key)}"

    @property
    def _usage_prefix(self) -> str:
        prefix = "/crm/v3/limits" if self is ApiVersion.V4 else f"/crm/limits/{self}"
        return f"{prefix}/associations/records"

    def batch_path(self, operation: Operation, from_id: str, to_id: str) -> str:
        return f"{self._configurations(from_id, to_id)}/batch/{operation}"

    @property
    def _helper(self) -> str:
        """The helper APIs that go with v4 are called v3 (documented)."""
        return "v3" if self is ApiVersion.V4 else str(self)

    def _configurations(self, from_id: str, to_id: str) -> str:
        return f"/crm/associations/{self}/definitions/configurations/{_pair(from_id, to_id)}"


SCOPES_PATH = "/oauth/v2/private-apps/get/access-token-info"
"""Lists the scopes of a service key or private app (observed); it has no version of its own."""

_WARNED_DAYS = 180
LATEST = ApiVersion(API_VERSION)
_END_OF_SUPPORT = {
    ApiVersion.V4: date(2027, 3, 30),
    ApiVersion.V2025_09: date(2027, 3, 31),
    ApiVersion.V2026_03: date(2027, 9, 30),
    ApiVersion.V2026_09: date(2028, 3, 31),
}


def _pair(from_id: str, to_id: str) -> str:
    return f"{quote(from_id, safe='')}/{quote(to_id, safe='')}"
