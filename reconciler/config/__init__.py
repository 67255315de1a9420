"""Files in git → desired limits, each value knowing its file, line and column.

Names are imported when they are first used: the YAML parser and pydantic cost more to import than
most commands take.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.config.files import find_sources
    from reconciler.config.git import Base, read_base
    from reconciler.config.git_head import git_state
    from reconciler.config.history import parse_base
    from reconciler.config.loading import load, parse
    from reconciler.config.object_types import InvalidName, canonical, standard_name
    from reconciler.config.schema import pair_schema, workspace_schema
    from reconciler.config.source import Loaded, Source
    from reconciler.config.workspace import (
        API_VERSIONS,
        EnvToken,
        FileToken,
        PortalSettings,
        Workspace,
        default_workspace,
        find_default,
        find_workspace,
        load_workspace,
        parse_workspace,
    )

__all__ = [
    "API_VERSIONS",
    "Base",
    "EnvToken",
    "FileToken",
    "InvalidName",
    "Loaded",
    "PortalSettings",
    "Source",
    "Workspace",
    "canonical",
    "default_workspace",
    "find_default",
    "find_sources",
    "find_workspace",
    "git_state",
    "load",
    "load_workspace",
    "pair_schema",
    "parse",
    "parse_base",
    "parse_workspace",
    "read_base",
    "standard_name",
    "workspace_schema",
]

_MODULES = {
    "files": ("find_sources",),
    "git": ("Base", "read_base"),
    "git_head": ("git_state",),
    "history": ("parse_base",),
    "loading": ("load", "parse"),
    "object_types": ("InvalidName", "canonical", "standard_name"),
    "schema": ("pair_schema", "workspace_schema"),
    "source": ("Loaded", "Source"),
    "workspace": (
        "API_VERSIONS",
        "EnvToken",
        "FileToken",
        "PortalSettings",
        "Workspace",
        "default_workspace",
        "find_default",
        "find_workspace",
        "load_workspace",
        "parse_workspace",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
