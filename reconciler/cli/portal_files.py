"""The files that belong to one portal each: a name that no other portal's file can have."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from reconciler.cli.files import check_output, remove_older
from reconciler.config.workspace import PortalSettings
from reconciler.errors import ReconcilerError, UsageProblem


def plan_files(out: str, portals: Sequence[PortalSettings], *, several: bool) -> Mapping[str, str]:
    """The file of each portal's plan by the portal's name, known to be writable.

    `out` names the file of one plan, a folder for those of several portals, which is made, or a
    file with `{portal}` in its name. Older ones of several portals are removed: a portal that cannot
    be planned must not seem to have a plan. Raises as `check_output` does.
    """
    names = [each.name for each in portals]
    is_file = out.endswith(".json") or os.path.isfile(out)  # noqa: PTH113 - takes any name
    if several and is_file and len(names) > 1 and "{portal}" not in out:
        raise UsageProblem(
            f"--out {out}: the plans of several portals need a folder",
            hint="name a folder: it is made, and gets a file PORTAL.json for each portal",
        )
    if "{portal}" in out:
        found = {name: out.replace("{portal}", stem) for name, stem in file_stems(names).items()}
    elif several and not is_file:
        make_folder("--out", out)
        found = {
            name: os.path.join(out, f"{stem}.json")  # noqa: PTH118 - a name as given, not a Path
            for name, stem in file_stems(names).items()
        }
    else:
        found = dict.fromkeys(names, out)
    for name in found.values():
        check_output("--out", name)
    if several:
        for name in found.values():
            remove_older("--out", name)
    return found


def make_folder(option: str, name: str) -> None:
    """Make a folder that an option names, unless it is there; raises as `check_output` does."""
    if not name or "\0" in name:
        raise UsageProblem(f"{option} needs the name of a folder")
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReconcilerError(f"cannot write {name}: {error.strerror or error}") from error


_LONGEST_STEM = 100
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
"""Names that Windows keeps for devices, with any suffix (documented)."""


def file_stems(names: Sequence[str]) -> dict[str, str]:
    """A name for a file of each portal: its own, where every file system can tell it from others.

    Names that differ in case alone, are longer than 100 characters, or stand for a device on
    Windows get a part of their hash, behind a character that no portal's name has.
    """
    folded = Counter(name.casefold() for name in names)

    def stem(name: str) -> str:
        fits = len(name) <= _LONGEST_STEM and not name.endswith(".")
        if fits and folded[name.casefold()] == 1 and not _DEVICES.match(name):
            return name
        return f"{name[:_LONGEST_STEM]}~{sha256(name.encode()).hexdigest()[:12]}"

    return {name: stem(name) for name in names}
