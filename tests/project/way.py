"""Count what a plan of one `max: 5` passes on its way: `python -m tests.project.way`.

Modules and functions of the package, on every thread, comprehensions and lambdas not counted. It
runs in a process of its own, in which nothing is cached yet.
"""

from __future__ import annotations

import inspect
import io
import os
import sys
import tempfile
import threading
from collections import defaultdict
from contextlib import redirect_stdout
from pathlib import Path
from types import FrameType

from reconciler.cli.root import cli, run
from reconciler.sandbox.example import bare_portal
from reconciler.sandbox.server import serve
from reconciler.sandbox.stand_in import DEFAULT_TOKEN
from tests.project.command import ROOT

PACKAGE = f"{ROOT / 'reconciler'}{os.sep}"


class Way:
    """The functions that were called, by module, and the modules that one request passed."""

    def __init__(self) -> None:
        self.functions: dict[str, set[str]] = defaultdict(set)
        self.request: set[str] = set()
        self._depth = threading.local()

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Take part in `sys.setprofile`."""
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE) or "sandbox" in code.co_filename:
            return
        module = code.co_filename.removeprefix(PACKAGE)
        is_request = (module, code.co_name) == ("hubspot/portal.py", "account")
        depth = getattr(self._depth, "requests", 0)
        if event == "call":
            if code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<"):
                self.functions[module].add(code.co_qualname)
                if depth or is_request:
                    self.request.add(module)
            self._depth.requests = depth + is_request
        elif event == "return":
            self._depth.requests = depth - is_request

    def __str__(self) -> str:
        lines = [
            f"{len(names):4} {module}: {', '.join(sorted(names))}"
            for module, names in sorted(self.functions.items())
        ]
        total = sum(map(len, self.functions.values()))
        lines.append(f"{len(self.functions)} modules, {total} functions")
        lines.append(f"one request: {len(self.request)} modules: {', '.join(sorted(self.request))}")
        return "\n".join(lines)


def plan(url: str, folder: Path) -> Way:
    """Make the plan as the command line does, and count."""
    pair = folder / "configs" / "contacts-companies.yaml"
    pair.parent.mkdir()
    pair.write_text("from: contacts\nto: companies\nmax: 5\n", encoding="utf-8")
    os.chdir(folder)
    os.environ.update(HUBSPOT_BASE_URL=url, HUBSPOT_ACCESS_TOKEN=DEFAULT_TOKEN)
    sys.argv = ["reconciler", "plan", "--no-usage"]
    way, shown = Way(), io.StringIO()
    threading.setprofile(way)
    sys.setprofile(way)
    try:
        with redirect_stdout(shown):
            code = run(cli)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert code == 0, shown.getvalue()
    assert "Plan: 1 to create, 0 to update, 0 to delete." in shown.getvalue()
    return way


def main() -> None:
    """Print the way."""
    with serve(bare_portal()) as server, tempfile.TemporaryDirectory() as folder:
        print(plan(server.url, Path(folder)))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
