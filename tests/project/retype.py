"""Type the tours of the documents again and put what is printed now in place of what they show.

    python -m tests.project.retype

For whoever changes a message on purpose; the diff then shows how the tour reads afterwards.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.project.command import ROOT
from tests.project.test_tour import PORT, TOURS, comparable, environment, free_port, over_http
from tests.project.tour import Saved, Set, Typed, background, opening, retyped, steps, terminal


def printed(text: str, heading: str, directory: Path) -> dict[int, str]:
    """What each command of a tour prints, by its line in the document; but for the sandbox."""
    port = free_port()
    saved, start, rest = opening(steps(text.replace(PORT, port), heading))
    for one in saved:
        (directory / one.path).write_text(one.text, encoding="utf-8")
    surroundings = environment(directory)
    found: dict[int, str] = {}
    lines = len(start.output.splitlines())
    with (
        background(start.command, directory, surroundings, lines) as shown,
        terminal(directory, surroundings) as screen,
    ):
        for step in rest:
            match step:
                case Typed(command, output, line):
                    now = screen.type(command).replace(port, PORT)
                    is_same = comparable(now) == comparable(output)
                    found[line] = output if is_same else now
                case Saved(path, text):
                    (directory / "limits" / path).write_text(text, encoding="utf-8")
                case Set():
                    over_http(shown[0], step)
    return found


def main() -> None:
    """Rewrite the documents."""
    for document, heading in TOURS.items():
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as directory:
            found = printed(text, heading, Path(directory))
        path.write_text(retyped(text, found), encoding="utf-8")


if __name__ == "__main__":
    main()
