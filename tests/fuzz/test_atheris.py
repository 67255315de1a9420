"""Readers and renderers under a fuzzer that learns which bytes lead further, for minutes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS
from tests.project.command import ROOT

SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))

pytestmark = [
    pytest.mark.torture,
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="atheris is not installed: it has wheels for Linux on x86-64, Python 3.11 to 3.14",
    ),
]


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_an_internal_error(name: str, tmp_path: Path) -> None:
    """No exception but those of the reader's family, no input that takes 20 seconds or 2 GiB."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    done = subprocess.run(
        (
            *(sys.executable, "-m", "tests.fuzz", name, str(folder)),
            *(f"-max_total_time={SECONDS}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=2000"),
            f"-artifact_prefix={tmp_path}/",
        ),
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS + 300,
        check=False,
    )
    found = [path.read_bytes() for path in tmp_path.glob("*-*") if path.is_file()]
    assert (done.returncode, found) == (0, []), done.stdout[-4_000:] + done.stderr[-4_000:]
