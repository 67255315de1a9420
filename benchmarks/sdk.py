"""`python -m benchmarks.sdk plan|apply DIRECTION…`: what a first script on HubSpot's own SDK does.

One request after another: for each `FROM:TO` its limits; for `apply` also the object limit, then
those of its labels, and the limits again. The last line is a JSON object with
the requests and the seconds they took, without the 1.5 seconds in which the SDK is imported.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from hubspot import HubSpot
from hubspot.crm.associations.v4.schema import (
    BatchInputPublicAssociationDefinitionConfigurationUpdateRequest as Batch,
)
from hubspot.crm.associations.v4.schema import (
    PublicAssociationDefinitionConfigurationUpdateRequest as Input,
)


def main() -> int:
    what, *directions = sys.argv[1:]
    host, token = os.environ["HUBSPOT_BASE_URL"], os.environ["HUBSPOT_ACCESS_TOKEN"]
    client = HubSpot(access_token=token, host=host)
    api = client.crm.associations.v4.schema.definition_configurations_api
    begin, requests = time.perf_counter(), 0
    for each in directions:
        from_, _, to = each.partition(":")
        rows = api.get_all_between_two_object_types(from_, to).results
        requests += 1
        if what == "apply":
            requests += _raise(api, from_, to, rows)
    seconds = time.perf_counter() - begin
    print(json.dumps({"requests": requests, "seconds": seconds}))
    return 0


def _raise(api: Any, from_: str, to: str, rows: list[Any]) -> int:
    """Raise every limit by one, and read what came of it; the number of requests."""
    for labelled in (False, True):
        inputs = [
            Input(
                category=row.category,
                type_id=row.type_id,
                max_to_object_ids=row.user_enforced_max_to_object_ids + 1,
            )
            for row in rows
            if bool(row.label) is labelled and row.user_enforced_max_to_object_ids
        ]
        api.batch_update(from_, to, Batch(inputs=inputs))
    api.get_all_between_two_object_types(from_, to)
    return 3


if __name__ == "__main__":
    sys.exit(main())
