"""The YAML language server that editors use, from npm, spoken to as an editor does."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.project.command import ROOT

PACKAGE = "yaml-language-server@1"


def installed() -> list[str]:
    """The command that starts the server; skips where npm cannot install it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("the YAML language server needs node and npm")
    folder = ROOT / ".venv" / "language-server"
    folder.mkdir(parents=True, exist_ok=True)
    server = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not server.is_file():
            done = subprocess.run(
                [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE],
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
            if done.returncode != 0:
                pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[-300:]}")
    return [node, str(server), "--stdio"]


class Editor:
    """An editor with one folder open. Schemas are found by the modelines of files."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], folder: Path) -> None:
        self._in, self._out, self._folder = stdin, stdout, folder
        self._number = 0
        capabilities = {"workspace": {"configuration": True}}
        self.ask(
            "initialize",
            {"processId": None, "rootUri": folder.as_uri(), "capabilities": capabilities},
        )
        self._send({"method": "initialized", "params": {}})

    def open(self, path: str) -> list[str]:
        """Open a file; the messages that are underlined in it."""
        file = self._folder / path
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1}
        document["text"] = file.read_text(encoding="utf-8")
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while True:
            message = self._receive()
            if message.get("method") != "textDocument/publishDiagnostics":
                continue
            if message["params"]["uri"] == file.as_uri():
                return [each["message"] for each in message["params"]["diagnostics"]]

    def complete(self, path: str, line: int, column: int) -> set[str]:
        """What is offered at a place, counted from 0."""
        found = self.ask("textDocument/completion", self._at(path, line, column))
        return {str(each["label"]) for each in found["items"]}

    def hover(self, path: str, line: int, column: int) -> str:
        """The text beside the word at a place."""
        found = self.ask("textDocument/hover", self._at(path, line, column))
        return "" if found is None else str(found["contents"]["value"])

    def _at(self, path: str, line: int, column: int) -> dict[str, Any]:
        uri = (self._folder / path).as_uri()
        return {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """Send a request and wait for its answer."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == self._number and "method" not in message:
                return message["result"]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._in.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; a request of the server is answered with nothing set."""
        length = 0
        while line := self._out.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "the language server ended"
        message: dict[str, Any] = json.loads(self._out.read(length))
        if "id" in message and "method" in message:
            items = message.get("params", {}).get("items", [])
            self._send({"id": message["id"], "result": [None for _ in items]})
        return message


@contextmanager
def editor(folder: Path) -> Iterator[Editor]:
    """An editor with this folder open, and the server behind it."""
    with subprocess.Popen(
        installed(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Editor(process.stdin, process.stdout, folder)
        finally:
            process.kill()
