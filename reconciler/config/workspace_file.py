"""The workspace file as pydantic models: what the parser and the JSON Schema share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from reconciler.config.events import read_documents
from reconciler.config.nodes import Mapping, Node, Step, child, place
from reconciler.config.pair import given
from reconciler.config.source import Source
from reconciler.config.text import decode
from reconciler.config.validation import Subject, check, problem
from reconciler.config.wording import quoted
from reconciler.config.workspace import (
    API_VERSIONS,
    DEFAULT_API_VERSION,
    DEFAULT_CONFIGS,
    DEFAULT_TOKEN_VARIABLE,
    EnvToken,
    FileToken,
    PortalSettings,
    Token,
    Workspace,
)
from reconciler.errors import ConfigurationInvalid, Diagnostic
from reconciler.model import Place, Safety

PORTAL_NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*"
VARIABLE_PATTERN = r"[A-Za-z_][A-Za-z0-9_]*"

_PORTAL_NAME = re.compile(PORTAL_NAME_PATTERN)
_VARIABLE = re.compile(VARIABLE_PATTERN)
_HUNDRED_PERCENT = 100
_MINIMAL = "the smallest workspace file reads: version: 1"


def _read_version(value: object) -> int:
    if value != 1 or isinstance(value, (bool, float)):
        raise problem("version-unknown", words="must be 1", hint="write version: 1")
    return 1


def _read_api_version(value: object) -> str:
    if isinstance(value, str) and value in API_VERSIONS:
        return value
    raise problem("unknown-api-version", words=" ".join(API_VERSIONS))


def _read_count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise problem("not-a-number", wanted="a whole number from 0")
    return value


def _read_percent(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HUNDRED_PERCENT:
        raise problem("not-a-number", wanted="a whole number from 0 to 100")
    return value


def _read_portal_id(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise problem("not-a-number", wanted="a portal's ID, a whole number from 1")
    return value


def _read_path(value: str) -> str:
    if not value.strip():
        raise problem("path-invalid", words="is empty", hint="write a path, or remove the key")
    return value


def _read_portal_name(value: str) -> str:
    if not _PORTAL_NAME.fullmatch(value):
        raise problem(
            "portal-name-invalid",
            words="is no name for a portal",
            hint="letters, digits, dots, dashes and underscores, from a letter or digit",
        )
    return value


def _read_variable(value: str) -> str:
    if not _VARIABLE.fullmatch(value):
        raise problem(
            "token-invalid",
            words="is not the name of an environment variable",
            hint="write the variable's name, such as HUBSPOT_ACCESS_TOKEN; never the token itself",
        )
    return value


def _read_token(value: object) -> object:
    if isinstance(value, (dict, TokenForm)):
        return value
    raise problem(
        "token-in-file",
        words="must say where the token is; a token never stands in a file of the configuration",
        hint="write {env: NAME} or {file: PATH}; if this was a token, revoke it in HubSpot",
    )


def _one_place(value: TokenForm) -> TokenForm:
    if (value.env is None) == (value.file is None):
        raise problem(
            "token-invalid",
            words="must have either `env` or `file`",
            hint="write {env: NAME} or {file: PATH}",
        )
    return value


def _no_overlays(value: object) -> object:
    raise problem(
        "overlays-unavailable",
        words="is not available in this version",
        hint="remove it, and give this portal a workspace of its own where its limits differ",
    )


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TokenForm(_Strict):
    """Where a token is."""

    env: Annotated[str | None, BeforeValidator(given), AfterValidator(_read_variable)] = None
    file: Annotated[str | None, BeforeValidator(given), AfterValidator(_read_path)] = None


class PortalForm(_Strict):
    """One portal."""

    portal_id: Annotated[int | None, BeforeValidator(_read_portal_id)] = None
    token: Annotated[
        TokenForm | None, BeforeValidator(_read_token), AfterValidator(_one_place)
    ] = None
    overlays: Annotated[None, BeforeValidator(_no_overlays)] = None


class SafetyForm(_Strict):
    """What one apply may do."""

    max_deletes: Annotated[int, BeforeValidator(_read_count)] = Safety().max_deletes
    max_delete_percent: Annotated[int, BeforeValidator(_read_percent)] = (
        Safety().max_delete_percent
    )
    max_changes: Annotated[int, BeforeValidator(_read_count)] = Safety().max_changes


class WorkspaceForm(_Strict):
    """The whole file."""

    version: Annotated[int, BeforeValidator(_read_version)]
    configs: Annotated[str, AfterValidator(_read_path)] = DEFAULT_CONFIGS
    api_version: Annotated[str, BeforeValidator(_read_api_version)] = DEFAULT_API_VERSION
    prune: bool = True
    safety: SafetyForm = SafetyForm()
    portals: Annotated[
        dict[Annotated[str, AfterValidator(_read_portal_name)], PortalForm] | None,
        BeforeValidator(given),
    ] = Field(default=None, min_length=1)


_KEYS = tuple(WorkspaceForm.model_fields)


def describe(steps: tuple[Step, ...]) -> Subject:
    """Words for what stands at a location of the workspace file."""
    match steps:
        case ():
            return Subject("the workspace file", _KEYS)
        case ("safety",):
            return Subject("`safety`", tuple(SafetyForm.model_fields))
        case ("portals", name) | ("portals", name, "[key]"):
            return Subject(f"the portal {quoted(str(name))}", _PORTAL_KEYS, secret=True)
        case ("portals", name, "token"):
            words = f"`token` of the portal {quoted(str(name))}"
            return Subject(words, tuple(TokenForm.model_fields), secret=True)
        case ("portals", name, "token", key):
            return Subject(f"`{_secret_key(key)}` of the token of {quoted(str(name))}", secret=True)
        case ("portals", name, key):
            return Subject(f"`{key}` of the portal {quoted(str(name))}")
        case _:
            return Subject(f"`{steps[-1]}`")


_PORTAL_KEYS = tuple(PortalForm.model_fields)


def _secret_key(key: Step) -> Step:
    return key if key in TokenForm.model_fields else "***"


def read_workspace(source: Source, path: Path) -> Workspace:
    """What the workspace file at `path` says.

    Raises ConfigurationInvalid with every diagnostic.
    """
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        raise ConfigurationInvalid([text])
    documents = read_documents(source.path, text)
    diagnostics = [*documents.diagnostics, *_not_one_document(source.path, documents.roots)]
    if not documents.roots:
        raise ConfigurationInvalid(diagnostics)
    checked = check(WorkspaceForm, documents.roots[0], source.path, describe)
    diagnostics += checked.diagnostics
    if checked.model is not None:
        diagnostics += _portal_problems(checked.model, documents.roots[0], source.path)
    if checked.model is None or diagnostics:
        raise ConfigurationInvalid(diagnostics)
    return _workspace(checked.model, path)


def _not_one_document(path: str, roots: tuple[Node, ...]) -> list[Diagnostic]:
    if len(roots) == 1:
        return []
    at = place(path, roots[1]) if roots else Place(path, 1, 1)
    words = "holds more than one document" if roots else "is empty"
    return [Diagnostic("workspace-documents", f"the workspace file {words}", at, hint=_MINIMAL)]


def _portal_problems(form: WorkspaceForm, root: Node, path: str) -> list[Diagnostic]:
    """Portals that cannot be told apart, or have no token of their own."""
    diagnostics: list[Diagnostic] = []
    portals = child(root, "portals")
    first: dict[int, tuple[str, Place]] = {}
    for name, portal in (form.portals or {}).items():
        node = child(portals, name) if portals else None
        if node is None:
            continue
        if portal.token is None and isinstance(portals, Mapping) and len(portals.entries) > 1:
            diagnostics.append(_no_token(name, place(path, portals.entries[name].key)))
        if portal.portal_id is not None:
            at = place(path, child(node, "portal_id") or node)
            earlier, where = first.setdefault(portal.portal_id, (name, at))
            if earlier != name:
                diagnostics.append(_same_portal(name, earlier, at, where))
    return diagnostics


def _no_token(name: str, at: Place) -> Diagnostic:
    return Diagnostic(
        "token-missing",
        f"the portal {quoted(name)} has no `token`, and there are other portals",
        at,
        hint=f"add token: {{env: {re.sub('[^A-Z0-9]', '_', f'HUBSPOT_{name.upper()}_TOKEN')}}}",
    )


def _same_portal(name: str, earlier: str, at: Place, where: Place) -> Diagnostic:
    return Diagnostic(
        "duplicate-portal",
        f"the portals {quoted(earlier)} and {quoted(name)} have the same `portal_id`",
        at,
        hint="keep one of the two",
        related=where,
    )


def _workspace(form: WorkspaceForm, path: Path) -> Workspace:
    default = Workspace()
    portals = tuple(
        _portal(name, portal, path.parent) for name, portal in (form.portals or {}).items()
    )
    return Workspace(
        path=path,
        root=path.parent,
        configs=form.configs,
        api_version=form.api_version,
        prune=form.prune,
        safety=Safety(
            form.safety.max_deletes, form.safety.max_delete_percent, form.safety.max_changes
        ),
        portals=portals or default.portals,
    )


def _portal(name: str, form: PortalForm, root: Path) -> PortalSettings:
    return PortalSettings(name, form.portal_id, _token(form.token, root))


def _token(form: TokenForm | None, root: Path) -> Token:
    if form is None:
        return EnvToken(DEFAULT_TOKEN_VARIABLE)
    if form.file is not None:
        return FileToken(root / form.file)
    return EnvToken(str(form.env))
