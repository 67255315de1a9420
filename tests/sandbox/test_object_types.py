"""Object types go by the names that HubSpot takes, and by no other."""

from __future__ import annotations

import pytest

from reconciler.sandbox.example import example_portal
from reconciler.sandbox.stand_in import Sandbox
from tests.sandbox.talking import VERSIONS, get, limits_path, told


@pytest.mark.parametrize("name", ["contact", "contacts", "Contacts", "CONTACT", "0-1"])
def test_a_standard_object_type_has_many_names(name: str) -> None:
    """Singular, plural, any case, or the type ID: all are one object type."""
    rows = told(get(Sandbox(example_portal()), limits_path("v4", name, "companies")))["results"]
    assert [row["typeId"] for row in rows] == [279, 28]


@pytest.mark.parametrize("name", ["2-4021", "p1234567_car", "P1234567_CAR"])
def test_a_custom_object_type_has_its_id_and_qualified_name(name: str) -> None:
    """Type ID or fully qualified name, in any case."""
    rows = told(get(Sandbox(example_portal()), limits_path("v4", name, "contacts")))["results"]
    assert [row["typeId"] for row in rows] == [40]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["car", "cars", "p_car", "2-9999", "spaceship"])
def test_any_other_name_is_refused(version: str, name: str) -> None:
    """A bare custom name and an unknown one get the observed error, which has no category."""
    response = get(Sandbox(example_portal()), limits_path(version, name, "contacts"))
    document = told(response)
    assert response.status == 400
    assert document["message"] == f"Unable to infer object type from: {name}"
    assert "category" not in document
