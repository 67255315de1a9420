"""HubSpot's own SDK works against the stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hubspot import HubSpot
from hubspot.crm.associations.v4.schema import (
    ApiException,
    BatchInputPublicAssociationDefinitionConfigurationCreateRequest,
    BatchInputPublicAssociationDefinitionConfigurationUpdateRequest,
    BatchInputPublicAssociationSpec,
    PublicAssociationDefinitionConfigurationCreateRequest,
    PublicAssociationDefinitionConfigurationUpdateRequest,
    PublicAssociationDefinitionCreateRequest,
    PublicAssociationDefinitionUpdateRequest,
    PublicAssociationSpec,
)

from reconciler.sandbox.faults.language import parse_fault
from reconciler.sandbox.server import Server, serve
from reconciler.sandbox.stand_in import Options


@pytest.fixture
def server() -> Iterator[Server]:
    """The example portal."""
    with serve() as running:
        yield running


@pytest.fixture
def sdk(server: Server) -> Iterator[Any]:
    """HubSpot's client, pointed at the stand-in."""
    client = HubSpot(access_token="sandbox-token", host=server.url)
    apis = client.crm.associations.v4.schema
    yield apis
    for api in (apis.definition_configurations_api, apis.definitions_api):
        api.api_client.rest_client.pool_manager.clear()


def rows(answer: Any) -> list[tuple[str, int, int | None]]:
    """What the SDK understood of the rows."""
    return [
        (row.category, row.type_id, row.user_enforced_max_to_object_ids) for row in answer.results
    ]


def test_the_sdk_reads_limits(sdk: Any) -> None:
    """Of a direction and of the portal."""
    api = sdk.definition_configurations_api
    pair = api.get_all_between_two_object_types("contacts", "companies")
    assert rows(pair) == [("HUBSPOT_DEFINED", 279, 5), ("USER_DEFINED", 28, 1)]
    assert [row.label for row in pair.results] == [None, "Billing contact"]
    assert ("HUBSPOT_DEFINED", 280, None) in rows(api.get_all())


def test_the_sdk_updates_creates_and_purges(sdk: Any, server: Server) -> None:
    """With HubSpot's own models in both ways."""
    api = sdk.definition_configurations_api
    updated = api.batch_update(
        "contacts",
        "companies",
        BatchInputPublicAssociationDefinitionConfigurationUpdateRequest(
            inputs=[
                PublicAssociationDefinitionConfigurationUpdateRequest(
                    category="USER_DEFINED", type_id=28, max_to_object_ids=2
                )
            ]
        ),
    )
    assert (updated.status, rows(updated)) == ("COMPLETE", [("USER_DEFINED", 28, 2)])
    created = api.batch_create(
        "0-1",
        "0-2",
        BatchInputPublicAssociationDefinitionConfigurationCreateRequest(
            inputs=[
                PublicAssociationDefinitionConfigurationCreateRequest(
                    category="USER_DEFINED", type_id=30, max_to_object_ids=3
                )
            ]
        ),
    )
    assert created.results[0].label == "Decision maker"
    purge = BatchInputPublicAssociationSpec(
        inputs=[PublicAssociationSpec(category="USER_DEFINED", type_id=28)]
    )
    assert api.batch_remove("contacts", "companies", purge) is None
    assert server.limits("contacts", "companies") == {
        ("HUBSPOT_DEFINED", 279): 5,
        ("USER_DEFINED", 30): 3,
    }


def test_the_sdk_makes_renames_and_removes_labels(sdk: Any) -> None:
    """A paired label, found again in the list each time."""
    api = sdk.definitions_api
    made = api.create(
        "contacts",
        "deals",
        PublicAssociationDefinitionCreateRequest(
            name="mentor", label="Mentor", inverse_label="Mentee"
        ),
    )
    type_id = made.results[0].type_id
    api.update(
        "contacts",
        "deals",
        PublicAssociationDefinitionUpdateRequest(association_type_id=type_id, label="Guide"),
    )
    labels = {row.type_id: row.label for row in api.get_all("contacts", "deals").results}
    assert labels[type_id] == "Guide"
    api.remove("contacts", "deals", type_id)
    assert type_id not in {row.type_id for row in api.get_all("contacts", "deals").results}


def test_the_sdk_reads_schemas_and_the_account(server: Server) -> None:
    """The custom object type, and the portal's own details."""
    client = HubSpot(access_token="sandbox-token", host=server.url)
    api = client.crm.schemas.core_api
    (schema,) = api.get_all().results
    assert (schema.object_type_id, schema.fully_qualified_name) == ("2-4021", "p1234567_car")
    assert "40" in {association.id for association in schema.associations}
    assert api.get_by_id("p1234567_car").name == "car"
    account = client.api_request({"base_url": server.url, "path": "/account-info/v3/details"})
    assert account.json()["portalId"] == 1234567
    account.close()
    api.api_client.rest_client.pool_manager.clear()


def test_the_sdk_understands_errors(sdk: Any) -> None:
    """Status and reason come through as its own exception."""
    with pytest.raises(ApiException) as error:
        sdk.definition_configurations_api.get_all_between_two_object_types("car", "companies")
    assert error.value.status == 400
    assert "Unable to infer object type from: car" in error.value.body


def test_the_sdk_understands_partial_success() -> None:
    """207 has a model of its own, with errors."""
    options = Options(faults=(parse_fault("update:part,types=30"),))
    with serve(options=options) as server:
        client = HubSpot(access_token="sandbox-token", host=server.url)
        api = client.crm.associations.v4.schema.definition_configurations_api
        answer = api.batch_update(
            "contacts",
            "companies",
            BatchInputPublicAssociationDefinitionConfigurationUpdateRequest(
                inputs=[
                    PublicAssociationDefinitionConfigurationUpdateRequest(
                        category="USER_DEFINED", type_id=type_id, max_to_object_ids=2
                    )
                    for type_id in (28, 30)
                ]
            ),
        )
        assert rows(answer) == [("USER_DEFINED", 28, 2)]
        assert answer.num_errors == 1
        api.api_client.rest_client.pool_manager.clear()
