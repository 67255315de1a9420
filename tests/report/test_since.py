"""The sentence that says what differs from an earlier plan."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from markdown_it import MarkdownIt

from reconciler.model.plan import Origin, Refusal, RefusalCode
from reconciler.model.since import Revision, Since
from reconciler.report.escape import markdown_prose, terminal
from reconciler.report.since import since_sentence
from tests.report.factory import (
    CAR,
    CONTACTS,
    DEALS,
    HOSTILE,
    change,
    is_printable,
    label,
    object_limit,
)

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LOWERED = change(CONTACTS, CAR, object_limit(5), 10, 8)
GONE = change(CONTACTS, DEALS, label("Champion"), 20, None)
SET = change(CAR, DEALS, object_limit(6), None, 3)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Since(), "Nothing changed since push 3."),
        (Since(added=(LOWERED,)), "Since push 3: 1 limit more is lowered (contacts → car)."),
        (
            Since(added=(SET,), gone=(GONE,)),
            (
                "Since push 3: 1 limit more is set (car → deals), "
                '1 change is gone (contacts → deals "Champion").'
            ),
        ),
        (
            Since(revised=(Revision(LOWERED, replace(LOWERED, after=9)),)),
            "Since push 3: 1 change differs (contacts → car 10 → 9 instead of 10 → 8).",
        ),
        (
            Since(revised=(Revision(LOWERED, replace(LOWERED, after=12)),), added=(SET,)),
            (
                "Since push 3: 1 limit more is set (car → deals), "
                "1 limit more is raised (contacts → car 10 → 12 instead of 10 → 8)."
            ),
        ),
        (
            Since(revised=(Revision(LOWERED, replace(LOWERED, protected=True)),)),
            "Since push 3: 1 change differs (contacts → car is now protected).",
        ),
        (
            Since(moved=(Revision(LOWERED, replace(LOWERED, origin=Origin.CONFLICT)),)),
            "Since push 3: 1 change is now in conflict (contacts → car).",
        ),
        (
            Since(
                portal_id=(1, 2),
                api_version=("v4", "2026-09"),
                refused=(Refusal(RefusalCode.MAX_DELETES, "21"),) * 2,
                no_longer_refused=(Refusal(RefusalCode.PROTECTED, "is", "a"),),
            ),
            (
                "Since push 3: it is for portal 2 instead of 1, "
                "it is for API version 2026-09 instead of v4, 2 refusals more (max deletes), "
                "1 refusal is gone (protected)."
            ),
        ),
    ],
)
def test_each_kind_of_difference_has_words(found: Since, words: str) -> None:
    """By effect, with the direction and the label."""
    assert since_sentence(found, terminal, earlier="push 3") == words


def test_three_of_a_kind_are_named() -> None:
    """The others are counted."""
    many = tuple(change(CONTACTS, CAR, label(f"L{at}", at), 10, 8) for at in range(1, 6))
    words = since_sentence(Since(added=many), terminal)
    assert words == (
        "Since the previous plan: 5 limits more are lowered "
        '(contacts → car "L1", contacts → car "L2", contacts → car "L3" and 2 more).'
    )
    assert since_sentence(Since(added=many), terminal, named=0) == (
        "Since the previous plan: 5 limits more are lowered."
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_are_one_harmless_line(text: str) -> None:
    """In a log and in markdown."""
    strange = change(replace(CAR, name=text), CONTACTS, label(text), 10, 8)
    found = Since(added=(strange,), gone=(strange,), api_version=(text, text))
    assert is_printable(since_sentence(found, terminal))
    markdown = since_sentence(found, partial(markdown_prose, limit=200))
    assert is_printable(markdown)
    assert len(markdown) < 8_000
    opening, inline, closing = PARSER.parse(markdown)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    assert {each.type for each in inline.children or ()} <= {"text", "code_inline"}
    words = "".join(each.content for each in inline.children or () if each.type == "text")
    assert not set(words) & set("<>@#[]&*~")
