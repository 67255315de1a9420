"""The JSON documents of a file, one by one."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.planning.documents import Kind, documents, what_is_wrong

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=4)


def test_one_document_is_all_of_the_file() -> None:
    """Byte for byte, so that it is read as it was written."""
    content = b'\xef\xbb\xbf {"batches": []}\n'
    (only,) = documents(content)
    assert (only.content, only.line, only.kind) == (content, 0, Kind.PLAN)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"outcome": "applied"}', Kind.RESULT),
        ('{"error": {}}', Kind.ERROR),
        ('{"from": "contacts"}', Kind.OTHER),
        ("7", Kind.OTHER),
    ],
)
def test_a_document_is_recognised_by_its_keys(text: str, kind: Kind) -> None:
    """Whatever its file is called."""
    assert documents(text.encode())[0].kind is kind


def test_the_line_of_each_document_is_known() -> None:
    """For messages about one of many."""
    assert [each.line for each in documents(b'[\n{"a": 1},\n\n{"b": 2}\n]')] == [2, 4]
    assert [each.line for each in documents(b'{"a": 1}\n{"b":\n 2}\n\n{}')] == [1, 2, 5]


def test_results_that_were_put_together_come_apart_again() -> None:
    """So that what was put together can be put together with more."""
    merged = {"results": [{"outcome": "applied"}, {"error": {}}], "exit_code": 0}
    kinds = [each.kind for each in documents(json.dumps(merged).encode())]
    assert kinds == [Kind.RESULT, Kind.ERROR]


@given(OBJECTS)
def test_an_array_and_lines_hold_the_same(values: list[dict[str, object]]) -> None:
    """Any JSON, indented or not."""
    texts = [json.dumps(each, ensure_ascii=False) for each in values]
    in_array = documents(json.dumps(values, indent=1).encode())
    assert [each.value for each in in_array] == values
    assert [json.loads(each.content) for each in in_array] == values
    if len(values) > 1:
        lines = documents("\n".join(texts).encode("utf-8", "surrogatepass"))
        assert [each.value for each in lines] == values


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expecting value at line 1 column 1"),
        (b"[", "Expecting value at line 1 column 2"),
        (b"[{},]", "Expecting value at line 1 column 5"),
        (b"[{}", "Expecting ',' or ']' at line 1 column 4"),
        (b"[{} {}]", "Expecting ',' or ']' at line 1 column 5"),
        (b"[{}]\n{}", "Extra data at line 2 column 1"),
        (b"{}\n{\n", "Expecting property name enclosed in double quotes at line 3 column 1"),
        (b"{} x", "Expecting value at line 1 column 4"),
        (b'{"a": 1, "a": 2}', "the key 'a' is there twice"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"a": ' * 100_000, "nested too deeply"),
        (b"9" * 5_000, "Exceeds the limit"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(content: bytes, words: str) -> None:
    """Line and column, and nothing but the two errors that are announced."""
    with pytest.raises((ValueError, RecursionError)) as caught:
        documents(content)
    assert words in what_is_wrong(caught.value)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    """Never another error."""
    with suppress(ValueError, RecursionError):
        assert isinstance(documents(content), tuple)
