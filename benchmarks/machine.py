"""What the measurements ran on: without it a figure says little."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import reconciler

_PACKAGES = ("httpx", "httpcore", "pydantic", "ruamel.yaml", "octodns", "hubspot-api-client")


def describe() -> str:
    """One line: date, processor, cores, memory, Python, and the packages that matter."""
    return ", ".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}",
            _processor(),
            f"{os.cpu_count()} cores",
            f"{_memory():.0f} GiB",
            f"{platform.system()} {platform.machine()}",
            f"{platform.python_implementation()} {platform.python_version()}",
            f"reconciler {reconciler.__version__}",
            *_packages(),
        ]
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or "processor unknown"


def _memory() -> float:
    """The machine's memory in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


def _packages() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue
