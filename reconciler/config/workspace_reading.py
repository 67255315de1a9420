"""A workspace file → the workspace, with words and places for what is wrong with it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from reconciler.config.events import read_documents
from reconciler.config.nodes import Mapping, Node, Step, child, place
from reconciler.config.source import Source
from reconciler.config.text import decode
from reconciler.config.validation import Subject, check
from reconciler.config.values import is_empty
from reconciler.config.wording import quoted
from reconciler.config.workspace import (
    DEFAULT_TOKEN_VARIABLE,
    EnvToken,
    FileToken,
    PortalSettings,
    Token,
    Workspace,
)
from reconciler.config.workspace_file import PortalForm, SafetyForm, TokenForm, WorkspaceForm
from reconciler.errors import ConfigurationInvalid, Diagnostic, DiagnosticCode
from reconciler.model.limits import Place, Safety

_MINIMAL = "the smallest workspace file reads: version: 1"
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
            return Subject(f"`{key}` of the portal {quoted(str(name))}", secret=True)
        case _:
            return Subject(f"`{steps[-1]}`", secret=steps[:1] == ("portals",))


_PORTAL_KEYS = tuple(PortalForm.model_fields)


def _secret_key(key: Step) -> Step:
    return key if key in TokenForm.model_fields else "***"


def read_workspace(source: Source, path: Path) -> Workspace:
    """What the workspace file at `path` says.

    Raises ConfigurationInvalid with every diagnostic. None of them shows a line that may hold a
    token: one of `portals`, or below it.
    """
    try:
        return _read(source, path)
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


def _read(source: Source, path: Path) -> Workspace:
    text = decode(source.path, source.content)
    if isinstance(text, Diagnostic):
        raise ConfigurationInvalid([text])
    documents = read_documents(source.path, text)
    roots = tuple(root for root in documents.roots if not is_empty(root))
    diagnostics = list(documents.diagnostics) or _not_one_document(source.path, roots)
    if not roots:
        raise ConfigurationInvalid(diagnostics)
    checked = check(WorkspaceForm, roots[0], source.path, describe)
    diagnostics += checked.diagnostics
    if checked.model is not None:
        diagnostics += _portal_problems(checked.model, roots[0], source.path)
    if checked.model is None or diagnostics:
        raise ConfigurationInvalid(diagnostics)
    return _workspace(checked.model, path, roots[0], source.path)


def _not_one_document(path: str, roots: tuple[Node, ...]) -> list[Diagnostic]:
    if len(roots) == 1:
        return []
    at = place(path, roots[1]) if roots else Place(path, 1, 1)
    words = "holds more than one document" if roots else "is empty"
    return [
        Diagnostic(
            DiagnosticCode.WORKSPACE_DOCUMENTS, f"the workspace file {words}", at, hint=_MINIMAL
        )
    ]


def _portal_problems(form: WorkspaceForm, root: Node, path: str) -> list[Diagnostic]:
    """Portals that cannot be told apart, or have no token of their own."""
    diagnostics: list[Diagnostic] = []
    portals = child(root, "portals")
    first: dict[int, tuple[str, Place]] = {}
    for name, portal in form.portals.items():
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


def _configs_place(root: Node, path: str) -> Place:
    return place(path, child(root, "configs") or root)


def _workspace(form: WorkspaceForm, path: Path, root: Node, shown: str) -> Workspace:
    default = Workspace()
    node = child(root, "portals")
    portals = tuple(
        _portal(name, portal, _token_place(node, name, shown))
        for name, portal in form.portals.items()
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
        configs_place=_configs_place(root, shown),
    )


def _portal(name: str, form: PortalForm, at: Place | None) -> PortalSettings:
    return PortalSettings(name, form.portal_id, _token(form.token, at))


def _token_place(portals: Node | None, name: str, path: str) -> Place | None:
    """Where the workspace file says what holds a portal's token."""
    portal = None if portals is None else child(portals, name)
    token = None if portal is None else child(portal, "token")
    if token is None:
        return None
    return place(path, child(token, "env") or child(token, "file") or token)


def _token(form: TokenForm | None, at: Place | None) -> Token:
    if form is None:
        return EnvToken(DEFAULT_TOKEN_VARIABLE)
    if form.file is not None:
        return FileToken(Path(form.file), at)
    return EnvToken(str(form.env), at)
