"""Feed one target under atheris, which looks for inputs that reach code nobody has reached yet.

    python -m tests.fuzz TARGET FOLDER [libFuzzer options, such as -max_total_time=60]

FOLDER collects what reaches something new; the committed corpus is read beside it. An input that
breaks something is written to the current folder, or where -artifact_prefix says: put it into
tests/fuzz/corpus/TARGET, so that it stays found.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reconciler"]):
    from tests.fuzz.targets import CORPUS, TARGETS


def main() -> None:
    """Run until the time is up or something breaks."""
    program, name, folder, *options = sys.argv
    target = TARGETS[name]
    dictionary = [f"-dict={_dictionary(folder, target.tokens)}"]
    atheris.Setup([program, folder, str(CORPUS / name), *dictionary, *options], target.feed)
    atheris.Fuzz()


def _dictionary(folder: str, tokens: tuple[bytes, ...]) -> str:
    """The target's tokens, where libFuzzer reads them."""
    words = ("".join(f"\\x{byte:02x}" for byte in token) for token in tokens)
    path = Path(f"{folder}.dict")
    path.write_text("".join(f'"{word}"\n' for word in words), encoding="ascii")
    return str(path)


if __name__ == "__main__":
    main()
