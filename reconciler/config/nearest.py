"""The known word nearest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The most similar of the known words, whatever the case; None if none is similar."""
    import difflib  # only for words that are wrong: importing it takes longer than reading a file

    by_lower = {each.lower(): each for each in known}
    found = difflib.get_close_matches(word.strip().lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None
