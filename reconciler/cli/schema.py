"""`reconciler schema`: print the JSON Schema of a format, of a pair file for one portal too."""

from __future__ import annotations

import json
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import output
from reconciler.cli.options import PortalOptions, portal_options
from reconciler.errors import UsageProblem
from reconciler.outgoing import harmless_json

if TYPE_CHECKING:
    from reconciler.config.schema import KnownDirection
    from reconciler.hubspot.portal import Portal
    from reconciler.hubspot.survey import Survey


@click.command("schema")
@click.argument(
    "format_",
    metavar="FORMAT",
    type=click.Choice(["pair", "workspace", "plan", "result", "results"]),
)
@portal_options
def command(options: PortalOptions, format_: str) -> None:
    """Print the JSON Schema of FORMAT: pair, workspace, plan, result, or results put together.

    `schema pair --portal NAME` completes this portal's object types and labels in an editor, and
    marks a label that it does not have.
    """
    if not options.names and not options.every:
        found = _schema(format_)
    elif format_ == "pair" and len(options.names) == 1 and not options.every:
        found = _of_portal(options)
    else:
        raise UsageProblem("only `schema pair` takes a portal, and one of them")
    text = harmless_json(json.dumps(found, indent=2, ensure_ascii=False))
    output.result(text, is_document=True)


def _schema(format_: str) -> dict[str, Any]:
    match format_:
        case "pair":
            from reconciler.config.schema import pair_schema

            return pair_schema()
        case "workspace":
            from reconciler.config.schema import workspace_schema

            return workspace_schema()
        case "plan":
            from reconciler.planning.saved import plan_schema

            return plan_schema()
        case "result":
            from reconciler.applying.result_file import result_schema

            return result_schema()
        case _:
            from reconciler.applying.result_file import results_schema

            return results_schema()


def _of_portal(options: PortalOptions) -> dict[str, Any]:
    from reconciler.cli.process import stopping_on_signals
    from reconciler.cli.progress import reporting  # what the other formats need not import
    from reconciler.cli.session import Session
    from reconciler.http.messages import report_to

    session = Session.start(options)
    (settings,) = session.portals()
    with (
        stopping_on_signals(session.stop),
        reporting(settings.name, session.given) as progress,
        session.connected(settings, report_to(progress)) as portal,
    ):
        return portal_schema(settings.name, portal, settings.portal_id)


def portal_schema(name: str, portal: Portal, portal_id: int | None = None) -> dict[str, Any]:
    """The schema of a pair file that knows a portal's object types, labels and limits.

    `portal_id`: the portal that is meant; raises WrongPortal where the token belongs to another.
    """
    from reconciler.config.object_types import STANDARD, standard_type
    from reconciler.config.schema import portal_pair_schema
    from reconciler.hubspot.survey import survey

    seen = survey(portal, standard_type, portal_id=portal_id)
    names = [plural for _, _, plural in STANDARD] + [each.name for each in seen.custom_objects]
    return portal_pair_schema(name, names, _directions(portal, seen))


def _directions(portal: Portal, seen: Survey) -> list[KnownDirection]:
    """Every pair of the object types that have limits, custom objects and where most labels are."""
    from reconciler.config.object_types import STANDARD
    from reconciler.config.schema import KnownDirection
    from reconciler.hubspot.survey import USUAL, labels_of
    from reconciler.model.limits import Direction, ObjectType

    spellings = {id_: (plural, singular, id_) for id_, singular, plural in STANDARD}
    spellings |= {
        each.id: (each.name, each.fully_qualified_name, each.id) for each in seen.custom_objects
    }
    limited = [id_ for each in seen.observed.directions for id_ in each.direction.key]
    custom = [each.id for each in seen.custom_objects]
    types = [id_ for id_ in dict.fromkeys([*limited, *USUAL, *custom]) if id_ in spellings]
    pairs = [
        Direction(*(ObjectType(id_, spellings[id_][0]) for id_ in pair))
        for pair in product(types, repeat=2)
    ]
    labels = portal.in_parallel([partial(labels_of, portal, each) for each in pairs])
    found = []
    for direction, there in zip(pairs, labels, strict=True):
        observed = seen.observed.by_key.get(direction.key)
        values = {} if observed is None else observed.values()
        if not there:
            continue
        limits = {each.label: values.get(each.key) for each in there}
        found.append(
            KnownDirection(
                spellings[direction.from_.id],
                spellings[direction.to.id],
                {label: limit for label, limit in limits.items() if label is not None},
                limits.get(None),
            )
        )
    return found
