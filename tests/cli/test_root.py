"""The command line itself: help, usage, streams and colour."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.running import Desk, environment


def test_help_names_every_command_and_exit_code(offline: Desk) -> None:
    """On stdout, exit 0."""
    ran = offline.run("--help")
    assert ran.code == 0
    for word in ("validate", "plan", "show", "apply", "schema", "sandbox", "64 wrong usage"):
        assert word in ran.out


def test_help_imports_no_command() -> None:
    """Start-up is click's own: nothing that a command needs is loaded."""
    script = (
        "import sys; sys.argv = ['reconciler', '--help']\n"
        "from reconciler.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n"
        "    bad = {'httpcore', 'pydantic', 'ruamel', 'deepdiff', 'rich', 'tenacity'}\n"
        "    sys.exit(f'loaded: {bad & sys.modules.keys()}' if bad & sys.modules.keys() else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("aply",), ("--nonsense",), ("plan", "--format", "xml"), ("schema",), ("-v", "-q", "plan")],
)
def test_wrong_usage_is_64(offline: Desk, arguments: tuple[str, ...]) -> None:
    """And never a traceback."""
    ran = offline.run_here(*arguments)
    assert ran.code == 64
    assert "Error:" in ran.err


def test_a_mistyped_command_names_the_nearest(offline: Desk) -> None:
    """As git does."""
    assert "'apply'" in offline.run_here("aply").err


@pytest.mark.parametrize(
    ("format_", "draft"),
    [
        ("pair", "http://json-schema.org/draft-07/schema#"),
        ("workspace", "http://json-schema.org/draft-07/schema#"),
        ("plan", "https://json-schema.org/draft/2020-12/schema"),
        ("result", "https://json-schema.org/draft/2020-12/schema"),
        ("results", "https://json-schema.org/draft/2020-12/schema"),
    ],
)
def test_schema_prints_json_schema(offline: Desk, format_: str, draft: str) -> None:
    """Draft 07 where people write, which language servers of YAML read; 2020-12 elsewhere."""
    ran = offline.run_here("schema", format_)
    assert ran.code == 0
    assert ran.json["$schema"] == draft


def test_colour_only_where_asked(pair: Desk) -> None:
    """A pipe gets none; `always` means always; NO_COLOR is honoured by `auto`."""
    assert "\x1b[" not in pair.run("plan").out
    assert "\x1b[" in pair.run_here("--color", "always", "plan").out
    assert "\x1b[" not in pair.run_here("--color", "never", "plan").out


def test_a_reader_that_goes_away_is_no_traceback(pair: Desk) -> None:
    """`reconciler plan | head -1`."""
    command = f'"{sys.executable}" -m reconciler schema plan | head -c 1'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=pair.folder,
        env=pair.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_locale_without_unicode_still_prints() -> None:
    """LANG=C in a bare container."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "--help"],
        env=environment(
            {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        ),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0
