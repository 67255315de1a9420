"""The pages that explain a code: of a diagnostic, a refusal, a change's status, an exit code.

Their one source is `docs/`: what people read there is what `reconciler explain` prints and what a
SARIF log carries, since a wheel brings the pages along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.errors import DiagnosticCode, ExitCode, Severity
from reconciler.model.plan import RefusalCode, Status

DISTRIBUTION = "hubspot-reconciler"

SOURCE = "https://github.com/-your-org-/hubspot-reconciler"
"""Where this project is published, as in pyproject.toml; a name that GitHub gives to nobody yet."""

_PAGE = re.compile(
    r"# (?P<code>\S+)\n\n(?:\*\*(?P<severity>Error|Warning)\.\*\* )?(?P<summary>.+?)\n\n", re.DOTALL
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SSH = re.compile(r"(?:ssh://)?(?:[^@/:]+@)([^/:]+)(?::\d+/|[:/])(.+)")


class Kind(StrEnum):
    """What a code is of; its pages are in the folder of that name."""

    DIAGNOSTIC = "diagnostics"
    REFUSAL = "refusals"
    STATUS = "statuses"
    EXIT = "exit-codes"


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about a code, as markdown, and its first paragraph.

    `severity` None: it is not a diagnostic's.
    """

    code: str
    kind: Kind
    severity: Severity | None
    summary: str
    markdown: str

    @property
    def url(self) -> str:
        """Where the page is read in a browser: in the repository that this was installed from."""
        return f"{_files()}/docs/{self.kind}/{self.code}.md"


@cache
def codes() -> Mapping[str, Kind]:
    """Every code that can be explained, as it is printed."""
    every: dict[str, Kind] = {str(code): Kind.DIAGNOSTIC for code in DiagnosticCode}
    every |= {str(code): Kind.REFUSAL for code in RefusalCode}
    every |= {str(status): Kind.STATUS for status in Status}
    return every | {str(int(code)): Kind.EXIT for code in ExitCode}


def explanation(code: str) -> Page:
    """The page of a known code. Raises KeyError for any other."""
    kind = codes()[code]
    text = (_pages() / kind / f"{code}.md").read_text(encoding="utf-8")
    found = _PAGE.match(text)
    assert found is not None, f"{kind}/{code}.md"  # noqa: S101 - each page is tested
    severity = None if found["severity"] is None else Severity(found["severity"].lower())
    return Page(code, kind, severity, " ".join(found["summary"].split()), text)


def _pages() -> Path:
    """In the package, or beside it in a checkout."""
    installed = Path(__file__).parent / "pages"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "docs"


@cache
def _files() -> str:
    """The address of this version's files: of the commit that pip installed, else of the project."""
    from importlib.metadata import Distribution, PackageNotFoundError  # 20 ms that few need

    try:
        origin = json.loads(Distribution.from_name(DISTRIBUTION).read_text("direct_url.json") or "")
        address, commit = origin["url"], origin["vcs_info"]["commit_id"]
    except (PackageNotFoundError, ValueError, KeyError, TypeError):
        return f"{SOURCE}/blob/main"
    return files_at(str(address), str(commit)) or f"{SOURCE}/blob/main"


def files_at(address: str, commit: str) -> str | None:
    """The web address of a commit's files on GitHub or GitLab; what may be secret in it is left out.

    None for an address that is not https or ssh, which no browser opens.
    """
    ssh = _SSH.fullmatch(address)
    try:
        parts = urlsplit(address)
        host, path = (ssh[1], ssh[2]) if ssh else (parts.hostname or "", parts.path)
    except ValueError:
        return None
    path = path.strip("/").removesuffix(".git")
    if not (ssh or parts.scheme == "https") or not host or not path:
        return None
    if not _COMMIT.fullmatch(commit) or not re.fullmatch(r"[\w./~-]+", path):
        return None
    separator = "/-/blob/" if "gitlab" in host else "/blob/"
    return f"https://{host.lower()}/{path}{separator}{commit}"
