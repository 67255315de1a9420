"""What is written where a stream has another encoding than UTF-8, as pipes of Windows have."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.running import Desk

LABEL = "請求先 →"


def encoded(desk: Desk, encoding: str, *arguments: str) -> tuple[int, bytes, str]:
    """Exit code, stdout and stderr of the command with this encoding of its streams."""
    out, err = desk.folder / "stdout", desk.folder / "stderr"
    with out.open("w", encoding=encoding) as stdout, err.open("w", encoding=encoding) as stderr:
        code = desk.run_onto(stdout, stderr, *arguments)
    shown = err.read_bytes().decode(encoding)
    assert "Traceback" not in shown
    return code, out.read_bytes(), shown


def test_the_encoding_is_the_one_the_process_was_given(pair: Desk) -> None:
    """By its locale, or by PYTHONIOENCODING."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "plan"],
        cwd=pair.folder,
        env={**pair.env, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert "contacts -> companies" in done.stdout.decode("cp1252")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "latin-1"])
def test_what_an_encoding_lacks_is_replaced_by_what_looks_like_it(
    pair: Desk, encoding: str
) -> None:
    """A plan, an apply and their progress: no traceback, and arrows that can be read."""
    code, out, err = encoded(pair, encoding, "plan")
    assert (code, err) == (0, "")
    shown = out.decode(encoding)
    assert "contacts -> companies" in shown.replace("→", "->")
    assert "?" not in shown
    code, out, _ = encoded(pair, encoding, "apply", "--auto-approve")
    assert code == 0
    assert out.decode(encoding).endswith("Apply complete: 1 created, 2 updated, 0 deleted.\n")


def test_strangers_letters_become_escapes(desk: Desk) -> None:
    """In a message; what the encoding has stays as it is."""
    desk.write("configs/a.yaml", f'from: contacts\nto: companies\nlabels: {{"é {LABEL}": 0}}\n')
    code, _, err = encoded(desk, "cp1252", "validate")
    assert code == 3
    assert r'"é \u8acb\u6c42\u5148 ->" is 0' in err


@pytest.mark.parametrize("format_", ["json", "html", "markdown", "mermaid"])
def test_documents_are_utf_8_whatever_the_stream_is(pair: Desk, format_: str) -> None:
    """They are read by programs: the same bytes as from a UTF-8 stream."""
    pair.run_here("plan", "--out", "plan.json")
    code, out, _ = encoded(pair, "cp1252", "show", "plan.json", "--format", format_)
    assert code == 0
    assert out == pair.run_here("show", "plan.json", f"--format={format_}").out.encode()
    assert ("→".encode() in out) >= (format_ != "json")


def test_errors_and_schemas_in_json_are_utf_8_too(pair: Desk) -> None:
    """Whether the portal was asked or not."""
    name = f"{LABEL}.yaml"
    pair.write(name, "from: contacts\n")
    code, out, _ = encoded(pair, "cp1252", "validate", name, "--format", "json")
    assert code == 3
    assert json.loads(out.decode("utf-8"))["diagnostics"][0]["path"] == name
    code, out, _ = encoded(pair, "ascii", "plan", name, "--format=json")
    assert code == 3
    assert json.loads(out.decode("utf-8"))["error"]["exit_code"] == 3
    code, out, _ = encoded(pair, "ascii", "schema", "pair")
    assert code == 0
    assert out == pair.run_here("schema", "pair").out.encode()
