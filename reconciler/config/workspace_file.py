"""The workspace file: its pydantic models, which the JSON Schema is made from, and its rules."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from reconciler.config.nodes import Mapping, Node, Step, child, is_empty
from reconciler.config.pair import Strict
from reconciler.config.sources import Disk, Source, boundary_of
from reconciler.config.validation import Steps, Subject, check
from reconciler.config.words import quoted
from reconciler.config.workspace import (
    DEFAULT_CONFIGS,
    DEFAULT_SAFETY,
    DEFAULT_TOKEN_VARIABLE,
    EnvToken,
    FileToken,
    OverlayFolder,
    PortalSettings,
    Token,
    Workspace,
)
from reconciler.config.yaml import decode, read_documents
from reconciler.defaults import API_VERSION, API_VERSIONS
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode
from reconciler.model.limits import LARGEST_NUMBER, Place, Safety

# A pattern says the same to the parser (Rust) and to editors (ECMAScript), neither with lookahead
# in common. `$` is the end of the text in both.
_PATH = r"^[^\x00]*[^\x00\s][^\x00]*$"
_RELATIVE_PATH = r"^(?:[^\x00\s/][^\x00]*|\s[^\x00]*[^\x00\s][^\x00]*)$"
_PORTAL_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"

_PORTALS_SCHEMA: Final[dict[str, Any]] = {
    "additionalProperties": False,
    "anyOf": [{"maxProperties": 1}, {"additionalProperties": {"required": ["token"]}}],
}


class TokenForm(Strict):
    """Where the portal's token is. The token itself is never in a file of the repository."""

    model_config = ConfigDict(
        title="Token", json_schema_extra={"minProperties": 1, "maxProperties": 1}
    )

    env: Annotated[
        str | None,
        Field(pattern=_VARIABLE, description="The environment variable that holds the token."),
    ] = None
    file: Annotated[
        str | None,
        Field(
            pattern=_PATH, description="The file that holds the token, from the workspace's folder."
        ),
    ] = None


class PortalForm(Strict):
    """One portal: a HubSpot account and where its token is."""

    model_config = ConfigDict(title="Portal")

    portal_id: Annotated[
        int | None,
        Field(ge=1, le=LARGEST_NUMBER, description="The portal that the token must belong to."),
    ] = None
    token: Annotated[
        TokenForm | None,
        Field(description=f"Left out with a single portal: {DEFAULT_TOKEN_VARIABLE}."),
    ] = None
    overlays: Annotated[
        list[Annotated[str, Field(pattern=_RELATIVE_PATH)]],
        Field(
            default_factory=list,
            description="Folders of overlays, from this file's: documents like those of pair "
            "files, which replace the values they name, for this portal only. In this order.",
        ),
    ]


class SafetyForm(Strict):
    """What one apply may do. A plan past a threshold is refused."""

    model_config = ConfigDict(title="Safety")

    max_deletes: Annotated[int, Field(ge=0, description="The most limits it may delete.")] = (
        DEFAULT_SAFETY.max_deletes
    )
    max_delete_percent: Annotated[
        int,
        Field(
            ge=0,
            le=100,
            description="The most it may delete of the limits observed in the declared "
            "directions, in percent; counted from 10 limits up.",
        ),
    ] = DEFAULT_SAFETY.max_delete_percent
    max_changes: Annotated[int, Field(ge=0, description="The most limits it may change.")] = (
        DEFAULT_SAFETY.max_changes
    )


class WorkspaceForm(Strict):
    """Where the pair files are, which portals they are for, and what an apply may do."""

    model_config = ConfigDict(title="Workspace of reconciler")

    version: Annotated[int, Field(ge=1, le=1, description="The version of this file's format.")]
    configs: Annotated[
        str,
        Field(
            pattern=_RELATIVE_PATH, description="The directory of the pair files, from this file's."
        ),
    ] = DEFAULT_CONFIGS
    api_version: Annotated[
        Literal[API_VERSIONS], Field(description="The version of HubSpot's API.")  # type: ignore[valid-type]  # the list is kept in one place
    ] = API_VERSION
    prune: Annotated[
        bool,
        Field(
            description="Whether limits of declared directions that no file names are deleted; "
            "a document may say otherwise for itself."
        ),
    ] = True
    safety: Annotated[SafetyForm, Field(description="What one apply may do.")] = SafetyForm()
    portals: Annotated[
        Annotated[
            dict[Annotated[str, Field(pattern=_PORTAL_NAME)], PortalForm],
            Field(min_length=1, json_schema_extra=_PORTALS_SCHEMA),
        ]
        | None,
        Field(description="The portals by name. Left out: one, named default."),
    ] = None


_MINIMAL = "the smallest workspace file reads: version: 1"
_WHERE_THE_TOKEN_IS = "write {env: NAME} or {file: PATH}"  # noqa: S105 - words, no password
_KEYS = tuple(WorkspaceForm.model_fields)
_PORTAL_KEYS = tuple(PortalForm.model_fields)
_TOKEN_KEYS = tuple(TokenForm.model_fields)
_COUNTS = {
    "max_deletes": "a whole number from 0",
    "max_changes": "a whole number from 0",
    "max_delete_percent": "a whole number from 0 to 100",
    "portal_id": "a portal's ID, a whole number from 1 to 2^53 - 1",
}


def describe(steps: Steps) -> Subject:
    """What is at a location of the workspace file."""
    match steps:
        case ():
            return Subject("the workspace file", _KEYS)
        case ("safety",):
            return Subject("`safety`", tuple(SafetyForm.model_fields))
        case ("portals",):
            code = DiagnosticCode.PORTALS_MISSING
            return Subject("`portals`", code=code, explain=_explain_no_portals, secret=True)
        case ("portals", name, *rest):
            return _describe_portal(quoted(str(name)), rest)._replace(secret=True)
        case ("version",):
            code = DiagnosticCode.VERSION_UNKNOWN
            return Subject("`version`", code=code, explain=_explain_version)
        case ("configs",):
            return Subject("`configs`", code=DiagnosticCode.PATH_INVALID, explain=_explain_path)
        case _:
            code = DiagnosticCode.API_VERSION_UNKNOWN
            return Subject(f"`{steps[-1]}`", wanted=_COUNTS.get(str(steps[-1]), ""), code=code)


def _describe_portal(name: str, steps: list[Step]) -> Subject:
    match steps:
        case []:
            return Subject(f"the portal {name}", _PORTAL_KEYS)
        case ["[key]"]:
            code = DiagnosticCode.PORTAL_NAME_INVALID
            return Subject(f"the portal {name}", code=code, explain=_explain_portal_name)
        case ["token"]:
            code = DiagnosticCode.TOKEN_IN_FILE
            words = f"`token` of the portal {name}"
            return Subject(words, _TOKEN_KEYS, code=code, explain=_explain_token)
        case ["token", "env"]:
            code = DiagnosticCode.TOKEN_INVALID
            return Subject(f"`env` of the token of {name}", code=code, explain=_explain_variable)
        case ["token", "file"]:
            code = DiagnosticCode.PATH_INVALID
            return Subject(f"`file` of the token of {name}", code=code, explain=_explain_path)
        case ["overlays", int(index)]:
            code = DiagnosticCode.PATH_INVALID
            words = f"entry {index + 1} of `overlays` of the portal {name}"
            return Subject(words, code=code, explain=_explain_path)
        case ["token", *_]:
            return Subject(f"`***` of the token of {name}")
        case _:
            key = str(steps[-1])
            return Subject(f"`{key}` of the portal {name}", wanted=_COUNTS.get(key, ""))


def _explain_version(_: str) -> tuple[str, str]:
    return " must be 1", "write version: 1"


def _explain_no_portals(_: str) -> tuple[str, str]:
    return " names no portal", "name one, or remove the key: then there is one, named default"


def _explain_portal_name(_: str) -> tuple[str, str]:
    hint = "letters, digits, dots, dashes and underscores, from a letter or digit"
    return " has a name that is not valid", hint


def _explain_token(_: str) -> tuple[str, str]:
    return (
        " must say where the token is; a token never belongs in a file of the configuration",
        f"{_WHERE_THE_TOKEN_IS}; if this was a token, revoke it in HubSpot",
    )


def _explain_variable(_: str) -> tuple[str, str]:
    hint = "write the variable's name, such as HUBSPOT_ACCESS_TOKEN; never the token itself"
    return " is not the name of an environment variable", hint


def _explain_path(text: str) -> tuple[str, str]:
    if "\0" in text:
        return " holds the character U+0000", "remove it"
    if not text.strip():
        return " is empty", "write a path, or remove the key"
    hint = "write it relative to the workspace file's folder, such as configs"
    return " is an absolute path", hint


def load_workspace(path: Path) -> Workspace:
    """Read a workspace file.

    Raises ConfigurationInvalid with every diagnostic, also where the file or its `configs` leads
    out of the repository; outside a repository, out of the file's folder.
    """
    boundary = boundary_of(path)
    source = Disk(boundary).read(str(path))
    if isinstance(source, Diagnostic):
        raise ConfigurationInvalid([source])
    workspace = replace(parse_workspace(source), path=path, root=path.parent)
    named = [(f"`configs`, {workspace.configs},", workspace.configs, workspace.configs_place)]
    named += [
        (f"{each.path}, of `overlays`,", each.path, each.place) for each in workspace.overlays
    ]
    outside = [
        boundary.refusal(words, place)
        for words, folder, place in named
        if not boundary.holds(os.path.realpath(workspace.root / folder))
    ]
    if outside:
        secret = _first_secret_line(source.content)
        raise ConfigurationInvalid([replace(each, secret_from=secret) for each in outside])
    return workspace


def parse_workspace(source: Source) -> Workspace:
    """What a workspace file says.

    Raises ConfigurationInvalid with every diagnostic. None of them shows a line that may hold a
    token: one of `portals`, or below it.
    """
    try:
        return _parse(source)
    except ConfigurationInvalid as error:
        secret = _first_secret_line(source.content)
        raise ConfigurationInvalid(
            [replace(each, secret_from=secret) for each in error.diagnostics]
        ) from error


_MAY_HOLD_A_TOKEN = re.compile(rb"portal|token|pat-", re.IGNORECASE)


def _first_secret_line(content: bytes) -> int:
    """The line from which on something may be a token: the first that speaks of portals or tokens.

    However the key is written: a mistake in the file is no reason to show what is below.
    """
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    numbers = (at for at, line in enumerate(lines, 1) if _MAY_HOLD_A_TOKEN.search(line))
    return next(numbers, len(lines) + 1)


def _parse(source: Source) -> Workspace:
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        raise ConfigurationInvalid([text])
    documents = read_documents(source.path, text)
    roots = tuple(root for root in documents.roots if not is_empty(root))
    diagnostics = list(documents.diagnostics) or _not_one_document(source.path, roots)
    if not roots:
        raise ConfigurationInvalid(diagnostics)
    form, problems = check(WorkspaceForm, roots[0], describe)
    diagnostics += problems
    if form is not None and not diagnostics:
        diagnostics += _portal_problems(form, roots[0])
    if form is None or diagnostics:
        raise ConfigurationInvalid(diagnostics)
    return _workspace(form, roots[0], Path(source.path))


def _not_one_document(path: str, roots: tuple[Node, ...]) -> list[Diagnostic]:
    if len(roots) == 1:
        return []
    at = roots[1].place if roots else Place(path, 1, 1)
    words = "holds more than one document" if roots else "is empty"
    words = f"the workspace file {words}"
    return [Diagnostic(DiagnosticCode.WORKSPACE_DOCUMENTS, words, at, hint=_MINIMAL)]


def _portal_problems(form: WorkspaceForm, root: Node) -> Iterator[Diagnostic]:
    """Portals that cannot be told apart, or that do not say where their token is."""
    portals = child(root, "portals")
    if form.portals is None or not isinstance(portals, Mapping):
        return
    first: dict[int, tuple[str, Place]] = {}
    for name, portal in form.portals.items():
        key, node = portals.entries[name]
        if portal.token is None and len(form.portals) > 1:
            yield _no_token(name, key.place)
        if portal.token is not None and (portal.token.env is None) == (portal.token.file is None):
            yield Diagnostic(
                DiagnosticCode.TOKEN_INVALID,
                f"`token` of the portal {quoted(name)} must have either `env` or `file`",
                (child(node, "token") or node).place,
                hint=_WHERE_THE_TOKEN_IS,
            )
        if portal.portal_id is not None:
            at = (child(node, "portal_id") or node).place
            earlier, where = first.setdefault(portal.portal_id, (name, at))
            if earlier != name:
                yield _same_portal(name, earlier, at, where)


def _no_token(name: str, at: Place) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.TOKEN_MISSING,
        f"the portal {quoted(name)} has no `token`, and there are other portals",
        at,
        hint=f"add token: {{env: {re.sub('[^A-Z0-9]', '_', f'HUBSPOT_{name.upper()}_TOKEN')}}}",
    )


def _same_portal(name: str, earlier: str, at: Place, where: Place) -> Diagnostic:
    return Diagnostic(
        DiagnosticCode.PORTAL_DUPLICATE,
        f"the portals {quoted(earlier)} and {quoted(name)} have the same `portal_id`",
        at,
        hint="keep one of the two",
        related=where,
    )


def _workspace(form: WorkspaceForm, root: Node, path: Path) -> Workspace:
    portals = child(root, "portals")
    found = tuple(
        _portal(name, portal, child(portals, name)) for name, portal in (form.portals or {}).items()
    )
    return Workspace(
        path=path,
        root=path.parent,
        configs=form.configs,
        api_version=form.api_version,
        prune=form.prune,
        safety=Safety(**form.safety.model_dump()),
        portals=found or Workspace().portals,
        configs_place=(child(root, "configs") or root).place,
    )


def _portal(name: str, form: PortalForm, node: Node | None) -> PortalSettings:
    token: Token = EnvToken(DEFAULT_TOKEN_VARIABLE)
    if form.token is not None:
        at = child(node, "token")
        named = child(at, "env") or child(at, "file") or at
        place = None if named is None else named.place
        if form.token.file is not None:
            token = FileToken(Path(form.token.file), place)
        else:
            token = EnvToken(str(form.token.env), place)
    folders = child(node, "overlays")
    overlays = tuple(
        OverlayFolder(path, None if (item := child(folders, at)) is None else item.place)
        for at, path in enumerate(form.overlays)
    )
    return PortalSettings(name, form.portal_id, token, overlays)
