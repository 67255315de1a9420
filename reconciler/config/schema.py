"""The JSON Schemas of the file formats, made from the models that also validate them.

They are for editors: what they accept, the parser accepts, except for rules over several values.
Draft 07 is what YAML language servers read. It cannot tell `5.0` from `5`; the parser can, and
refuses the former.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from reconciler.config.pair import PairForm
from reconciler.config.workspace_file import WorkspaceForm

_DIALECT = "http://json-schema.org/draft-07/schema#"


def pair_schema() -> dict[str, Any]:
    """The JSON Schema of a pair file's document."""
    return _schema(PairForm)


@dataclass(frozen=True, slots=True)
class KnownDirection:
    """A direction of a portal: how a file may name its object types, and its labels.

    `labels`: the limit in force of each, None for none. `limit`: the object limit in force.
    """

    from_names: tuple[str, ...]
    to_names: tuple[str, ...]
    labels: Mapping[str, int | None]
    limit: int | None = None


def portal_pair_schema(
    portal: str, object_types: Sequence[str], directions: Sequence[KnownDirection]
) -> dict[str, Any]:
    """The schema of a pair file that completes a portal's object types and labels.

    A label that the portal does not have is marked, for every pair in `directions`; the limit in
    force is the text that an editor shows beside a label. A label is still free where the pair is
    not among them.
    """
    schema = pair_schema()
    for side in ("from", "to"):
        schema["properties"][side]["anyOf"] = [{"enum": list(object_types)}, {}]
    by_names = {(each.from_names, each.to_names): each for each in directions}
    schema["allOf"] = [
        *schema.get("allOf", []),
        *(
            {
                "if": {
                    "properties": {
                        "from": {"enum": list(each.from_names)},
                        "to": {"enum": list(each.to_names)},
                    },
                    "required": ["from", "to"],
                },
                "then": {
                    "properties": {
                        **_known_limits(each, portal),
                        "inverse": {"properties": _known_limits(inverse, portal)}
                        if (inverse := by_names.get((each.to_names, each.from_names)))
                        else {},
                    }
                },
            }
            for each in directions
        ),
    ]
    return schema


def _known_limits(known: KnownDirection, portal: str) -> dict[str, Any]:
    """The labels of one direction, and none beside them."""
    return {
        "max": {"description": _in_force(known.limit, portal)},
        "labels": {
            "properties": {
                label: {"description": _in_force(limit, portal)}
                for label, limit in known.labels.items()
            },
            "additionalProperties": False,
        },
    }


def _in_force(limit: int | None, portal: str) -> str:
    return f"In force in portal {portal}: {'no limit' if limit is None else limit}."


def workspace_schema() -> dict[str, Any]:
    """The JSON Schema of the workspace file."""
    return _schema(WorkspaceForm)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema: dict[str, Any] = _as_draft_07(_cleaned(model.model_json_schema(by_alias=True)))
    return {"$schema": _DIALECT} | schema


def _as_draft_07(part: Any) -> Any:
    """Definitions where draft 07 has them, and no key beside a `$ref`, where it would not count."""
    if isinstance(part, list):
        return [_as_draft_07(each) for each in part]
    if isinstance(part, str):
        return part.replace("#/$defs/", "#/definitions/")
    if not isinstance(part, dict):
        return part
    found = {
        "definitions" if key == "$defs" else key: _as_draft_07(value) for key, value in part.items()
    }
    if "$ref" in found and len(found) > 1:
        return {key: value for key, value in found.items() if key != "$ref"} | {
            "allOf": [{"$ref": found["$ref"]}]
        }
    return found


def _cleaned(part: Any, *, names: bool = False) -> Any:
    """Without nulls, which no key accepts, without empty defaults, and without titles that repeat a key's name.

    `names`: the part's keys are names from the format, not words of JSON Schema.
    """
    if isinstance(part, list):
        return [_cleaned(each) for each in part if each != {"type": "null"}]
    if not isinstance(part, dict):
        return part
    cleaned = {
        key: _cleaned(value, names=key in {"properties", "$defs"} and not names)
        for key, value in part.items()
        if names or not (key == "default" and value in (None, {}, []))
    }
    if not names and "title" in cleaned and cleaned.get("type") != "object":
        del cleaned["title"]
    match cleaned:
        case {"anyOf": [only], **rest} if not names:
            return rest | only if isinstance(only, dict) else cleaned
        case _:
            return cleaned
