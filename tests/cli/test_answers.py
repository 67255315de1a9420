"""The results of several portals: in their order, whichever is done first; as JSON, one array."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from threading import Event
from unittest import mock

import pytest

from reconciler.cli import output
from reconciler.cli.answers import Answers, json_array
from reconciler.cli.options import Given
from reconciler.cli.process import outlets
from reconciler.errors import ReconcilerError

NAMES = ("a", "b", "c")


@contextmanager
def streams(*arguments: str) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """What is written to the two streams of a command with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", ["reconciler", *arguments]))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        stack.enter_context(outlets())
        yield out, err


def test_text_is_written_in_the_order_of_the_portals() -> None:
    """The last one is done first, the first one writes as it goes, and the second is between."""
    with streams() as (out, _), Answers(NAMES, as_array=False) as answers:
        with answers.of("c"):
            assert not output.result("c 1")
        assert out.getvalue() == ""
        with answers.of("a"):
            assert output.result("a 1")
            assert out.getvalue() == "a 1\n"
            with ThreadPoolExecutor(1) as pool:
                pool.submit(_answer, answers, "b", "b 1").result()
            output.result("a 2")
            assert out.getvalue() == "a 1\na 2\n"
        assert out.getvalue() == "a 1\na 2\nb 1\nc 1\n"


def _answer(answers: Answers, name: str, text: str) -> None:
    with answers.of(name):
        output.result(text)


def test_threads_answer_for_their_own_portal() -> None:
    """And only for that: each waits until all three have begun."""
    begun = {name: Event() for name in NAMES}

    def work(name: str) -> bool:
        with answers.of(name):
            begun[name].set()
            for each in begun.values():
                assert each.wait(30)
            assert not output.is_answered()
            output.result(json.dumps({"portal": name}))
            return output.is_answered()

    with streams() as (out, _):
        with Answers(NAMES, as_array=True) as answers, ThreadPoolExecutor(3) as pool:
            assert all(pool.map(work, reversed(NAMES)))
        assert json.loads(out.getvalue()) == [{"portal": name} for name in NAMES]


def test_an_error_is_an_element_unless_its_portal_has_answered() -> None:
    """It names the portal; one after the plan of a portal is on stderr alone."""
    with streams("plan", "--format", "json") as (out, err):
        with Answers(NAMES, as_array=True) as answers:
            for name in NAMES:
                with answers.of(name):
                    if name != "b":
                        output.result("{}")
                    output.show_error(ReconcilerError(f"no {name}"), Given(), "", name)
        first, second, third = json.loads(out.getvalue())
        assert (first, third) == ({}, {})
        assert second["portal"] == "b"
        assert second["error"]["message"] == "no b"
        assert err.getvalue() == "error: no a\nerror: no b\nerror: no c\n"


@pytest.mark.parametrize("as_array", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_is_done_is_written_however_it_ends(
    error: type[BaseException], *, as_array: bool
) -> None:
    """The array is valid and whole, and nothing is left behind."""

    def work() -> None:
        with Answers(NAMES, as_array=as_array) as answers:
            _answer(answers, "c", '{"n": 3}')
            with answers.of("a"):
                output.result('{"n": 1}\n')
                raise error

    with streams() as (out, _):
        with pytest.raises(error):
            work()
        if as_array:
            assert json.loads(out.getvalue()) == [{"n": 1}, {"n": 3}]
        else:
            assert out.getvalue() == '{"n": 1}\n{"n": 3}\n'
        assert output.is_answered()
        output.result("after")
        assert out.getvalue().endswith("\nafter\n")


def test_an_array_of_nothing_is_an_array() -> None:
    """A shard may be empty."""
    with streams() as (out, _):
        with Answers((), as_array=True):
            pass
        assert json.loads(out.getvalue()) == []
    assert json.loads(json_array(['{"a": 1}\n', "[]"])) == [{"a": 1}, []]
