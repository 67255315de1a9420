"""The workspace file as pydantic models: what the parser and the JSON Schema share."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic.json_schema import SkipJsonSchema

from reconciler.config.pair import given
from reconciler.config.validation import problem
from reconciler.config.workspace import (
    API_VERSIONS,
    DEFAULT_API_VERSION,
    DEFAULT_CONFIGS,
    DEFAULT_SAFETY,
    DEFAULT_TOKEN_VARIABLE,
)
from reconciler.errors import DiagnosticCode
from reconciler.model.limits import LARGEST_NUMBER

PORTAL_NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*"
VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"

_PORTAL_NAME = re.compile(PORTAL_NAME_PATTERN)
_VARIABLE = re.compile(VARIABLE_PATTERN)
_HUNDRED_PERCENT = 100
_PORTALS_SCHEMA: Final[dict[str, Any]] = {
    "minProperties": 1,
    "additionalProperties": False,
    "anyOf": [{"maxProperties": 1}, {"additionalProperties": {"required": ["token"]}}],
}


def _read_version(value: object) -> int:
    if value != 1 or isinstance(value, (bool, float)):
        raise problem(DiagnosticCode.VERSION_UNKNOWN, words="must be 1", hint="write version: 1")
    return 1


def _read_api_version(value: object) -> str:
    if isinstance(value, str) and value in API_VERSIONS:
        return value
    raise problem(DiagnosticCode.API_VERSION_UNKNOWN, words=" ".join(API_VERSIONS))


def _read_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise problem(DiagnosticCode.VALUE_NOT_A_NUMBER, wanted="a whole number from 0")
    return value


def _read_percent(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HUNDRED_PERCENT:
        raise problem(DiagnosticCode.VALUE_NOT_A_NUMBER, wanted="a whole number from 0 to 100")
    return value


def _read_portal_id(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_NUMBER:
        raise problem(
            DiagnosticCode.VALUE_NOT_A_NUMBER,
            wanted="a portal's ID, a whole number from 1 to 2^53 - 1",
        )
    return value


def _read_path(value: str) -> str:
    if not value.strip():
        raise problem(
            DiagnosticCode.PATH_INVALID, words="is empty", hint="write a path, or remove the key"
        )
    if "\0" in value:
        raise problem(
            DiagnosticCode.PATH_INVALID, words="holds the character U+0000", hint="remove it"
        )
    return value


def _read_relative_path(value: str) -> str:
    if value.startswith("/"):
        raise problem(
            DiagnosticCode.PATH_INVALID,
            words="is an absolute path",
            hint="write it relative to the workspace file's folder, such as configs",
        )
    return _read_path(value)


def _read_portal_name(value: str) -> str:
    if not _PORTAL_NAME.fullmatch(value):
        raise problem(
            DiagnosticCode.PORTAL_NAME_INVALID,
            words="is no name for a portal",
            hint="letters, digits, dots, dashes and underscores, from a letter or digit",
        )
    return value


def _read_variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise problem(
            DiagnosticCode.TOKEN_INVALID,
            words="is not the name of an environment variable",
            hint="write the variable's name, such as HUBSPOT_ACCESS_TOKEN; never the token itself",
        )
    return value


def _read_token(value: object) -> object:
    if isinstance(value, (dict, TokenForm)):
        return value
    raise problem(
        DiagnosticCode.TOKEN_IN_FILE,
        words="must say where the token is; a token never stands in a file of the configuration",
        hint="write {env: NAME} or {file: PATH}; if this was a token, revoke it in HubSpot",
    )


def _one_place(value: TokenForm) -> TokenForm:
    if (value.env is None) == (value.file is None):
        raise problem(
            DiagnosticCode.TOKEN_INVALID,
            words="must have either `env` or `file`",
            hint="write {env: NAME} or {file: PATH}",
        )
    return value


def _read_portals(value: object) -> object:
    if value is None:
        raise problem(DiagnosticCode.VALUE_NULL)
    if value == {}:
        raise problem(
            DiagnosticCode.PORTALS_MISSING,
            words="names no portal",
            hint="name one, or remove the key: then there is one portal, named default",
        )
    return value


def _no_overlays(_value: object) -> object:
    raise problem(
        DiagnosticCode.OVERLAYS_UNAVAILABLE,
        words="is not available in this version",
        hint="remove it, and give this portal a workspace of its own where its limits differ",
    )


Count = Annotated[
    int, BeforeValidator(_read_count), WithJsonSchema({"type": "integer", "minimum": 0})
]
Percent = Annotated[
    int,
    BeforeValidator(_read_percent),
    WithJsonSchema({"type": "integer", "minimum": 0, "maximum": _HUNDRED_PERCENT}),
]
PathText = Annotated[
    str, AfterValidator(_read_path), WithJsonSchema({"type": "string", "pattern": r"\S"})
]
RelativePath = Annotated[
    str,
    AfterValidator(_read_relative_path),
    WithJsonSchema({"type": "string", "pattern": r"^(?!/)[\s\S]*\S"}),
]
VariableName = Annotated[
    str,
    AfterValidator(_read_variable),
    WithJsonSchema({"type": "string", "pattern": f"^{VARIABLE_PATTERN}$"}),
]
PortalName = Annotated[
    str,
    AfterValidator(_read_portal_name),
    WithJsonSchema({"type": "string", "pattern": f"^{PORTAL_NAME_PATTERN}$"}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TokenForm(_Strict):
    """Where the portal's token is. The token itself never stands in a file of the repository."""

    model_config = ConfigDict(
        title="Token", json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    env: Annotated[
        VariableName | None,
        BeforeValidator(given),
        Field(description="The environment variable that holds the token."),
    ] = None
    file: Annotated[
        PathText | None,
        BeforeValidator(given),
        Field(description="The file that holds the token, from the workspace's directory."),
    ] = None


class PortalForm(_Strict):
    """One portal: a HubSpot account and where its token is."""

    model_config = ConfigDict(title="Portal")

    portal_id: Annotated[
        int | None,
        BeforeValidator(_read_portal_id),
        WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_NUMBER}),
        Field(description="The portal that the token must belong to."),
    ] = None
    token: Annotated[
        TokenForm | None,
        BeforeValidator(_read_token),
        AfterValidator(_one_place),
        Field(description=f"Left out with a single portal: {DEFAULT_TOKEN_VARIABLE}."),
    ] = None
    overlays: Annotated[SkipJsonSchema[None], BeforeValidator(_no_overlays)] = None


class SafetyForm(_Strict):
    """What one apply may do. A plan past a threshold is refused."""

    model_config = ConfigDict(title="Safety")

    max_deletes: Annotated[Count, Field(description="The most limits it may delete.")] = (
        DEFAULT_SAFETY.max_deletes
    )
    max_delete_percent: Annotated[
        Percent,
        Field(
            description="The most it may delete of the limits observed in the declared "
            "directions, in percent; counted from 10 limits up."
        ),
    ] = DEFAULT_SAFETY.max_delete_percent
    max_changes: Annotated[Count, Field(description="The most limits it may change.")] = (
        DEFAULT_SAFETY.max_changes
    )


class WorkspaceForm(_Strict):
    """Where the pair files are, which portals they are for, and what an apply may do."""

    model_config = ConfigDict(title="Workspace of reconciler")

    version: Annotated[
        int,
        BeforeValidator(_read_version),
        WithJsonSchema({"const": 1}),
        Field(description="The version of this file's format."),
    ]
    configs: Annotated[
        RelativePath, Field(description="The directory of the pair files, from this file's.")
    ] = DEFAULT_CONFIGS
    api_version: Annotated[
        str,
        BeforeValidator(_read_api_version),
        WithJsonSchema({"type": "string", "enum": list(API_VERSIONS)}),
        Field(description="The version of HubSpot's API."),
    ] = DEFAULT_API_VERSION
    prune: Annotated[
        bool,
        Field(
            description="Whether limits of declared directions that no file names are deleted; "
            "a document may say otherwise for itself."
        ),
    ] = True
    safety: SafetyForm = SafetyForm()
    portals: Annotated[
        dict[PortalName, PortalForm],
        BeforeValidator(_read_portals),
        Field(
            description="The portals by name. Left out: one, named default.",
            json_schema_extra=_PORTALS_SCHEMA,
        ),
    ] = {}
