"""The JSON Schemas of the file formats, made from the models that also validate them.

They are for editors: what they accept, the parser accepts, except for rules over several values.
Draft 2020-12 cannot tell `5.0` from `5`; the parser can, and refuses the former.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from reconciler.config.pair import PairForm
from reconciler.config.workspace_file import WorkspaceForm

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def pair_schema() -> dict[str, Any]:
    """The JSON Schema of a pair file's document."""
    return _schema(PairForm)


def workspace_schema() -> dict[str, Any]:
    """The JSON Schema of the workspace file."""
    return _schema(WorkspaceForm)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema: dict[str, Any] = _cleaned(model.model_json_schema(by_alias=True))
    return {"$schema": _DIALECT} | schema


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
