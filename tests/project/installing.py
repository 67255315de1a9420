"""The project installed as people install it: by uv or pipx, into an empty home directory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.project.command import ROOT

BESIDE = Path(sys.executable).parent
"""Where the test group's uv and pipx are."""

INHERITED = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "HTTP", "http", "ALL_PROXY", "NO_PROXY")
"""How this machine reaches its package index."""

UNREACHABLE = (
    "error sending request",
    "Failed to fetch",
    "failed to lookup address",
    "name resolution",
    "Name or service not known",
    "Could not fetch URL",
    "Connection refused",
    "timed out",
    "(from versions: none)",
)


def tracked() -> list[str]:
    """What a clone would hold: the files that git lists, those not yet committed among them."""
    listed = subprocess.run(
        ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git repository")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def copied(folder: Path) -> Path:
    """These files in another folder."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def clone(folder: Path) -> Path:
    """A git repository with all of it committed."""
    copied(folder)
    who = ("-c", "user.name=A Person", "-c", "user.email=person@example.com")
    for command in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "All of it")):
        subprocess.run(("git", *command), cwd=folder, check=True)
    return folder


def interpreter(version: str) -> str:
    """A Python of this version that runs; skips where there is none."""
    known = [shutil.which(f"python{version}")]
    known += sorted(
        map(str, Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    )
    for each in filter(None, known):
        if subprocess.run((each, "-c", ""), capture_output=True, check=False).returncode == 0:
            return each
    pytest.skip(f"Python {version} is not installed")


def managed_interpreter() -> str:
    """A system Python that refuses pip, with its pip; skips where there is none."""
    ask = "import pip, pathlib, sysconfig as s; print(pathlib.Path(s.get_path('stdlib'), 'EXTERNALLY-MANAGED').exists())"
    for each in ("/usr/bin/python3", "/usr/local/bin/python3"):
        if Path(each).exists():
            done = subprocess.run((each, "-c", ask), capture_output=True, text=True, check=False)
            if done.stdout == "True\n":
                return each
    pytest.skip("no Python of this machine is externally managed")


@dataclass(frozen=True)
class Home:
    """An empty home directory, and what is run in it."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}
        cache = ROOT / ".venv" / "packages"  # what is downloaded once serves every run of the tests
        return {
            **kept,
            "HOME": str(self.folder),
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "PYTHONUTF8": "1",
            "UV_CACHE_DIR": str(cache / "uv"),
            "PIP_CACHE_DIR": str(cache / "pip"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_HTTP_RETRIES": "1",
            "PIP_RETRIES": "1",
            "PIPX_DISABLE_SHARED_LIBS_AUTO_UPGRADE": "1",
            **self.more,
        }

    @property
    def bin(self) -> Path:
        """Where the commands of tools are put."""
        return self.folder / ".local" / "bin"

    @property
    def commands(self) -> list[str]:
        return sorted(each.name for each in self.bin.iterdir())

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command in the home directory."""
        return subprocess.run(
            tuple(map(str, command)),
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def install(self, tool: str, *arguments: str | Path) -> str:
        """Run uv or pipx; skips where this machine has none or its package index cannot be asked."""
        if not (BESIDE / tool).exists():
            pytest.skip(f"{tool} is not installed")
        done = self.run(BESIDE / tool, *arguments)
        if done.returncode != 0 and any(each in done.stderr for each in UNREACHABLE):
            pytest.skip(f"{tool} cannot ask its package index")
        assert done.returncode == 0, done.stderr
        return done.stdout


def members(archive: Path) -> Iterator[str]:
    """The files of a wheel or an sdist, those of an sdist without its folder."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            yield from wheel.namelist()
    else:
        with tarfile.open(archive) as sdist:
            yield from (each.partition("/")[2] for each in sdist.getnames())
