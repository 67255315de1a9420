"""Assertions of this suite can fail: the crudest ways in which one cannot are looked for."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ALWAYS_TRUE = (ast.Tuple, ast.JoinedStr, ast.Lambda, ast.GeneratorExp)
ASSERTING = {"raises", "fail", "validate", "run_state_machine_as_test"}
"""Functions of other packages that fail by raising."""


@functools.cache
def parsed() -> dict[str, ast.Module]:
    """Every module of the suite."""
    paths = sorted(HERE.rglob("*.py"))
    return {str(each.relative_to(HERE)): ast.parse(each.read_text("utf-8")) for each in paths}


def faults(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and kind of every assertion that cannot fail, as far as its form tells."""
    for node in ast.walk(tree):
        match node:
            case ast.Assert(test=test):
                yield from ((node.lineno, kind) for kind in _kinds(test))
            case ast.Expr(value=ast.Compare() | ast.BoolOp()):
                yield node.lineno, "a comparison that nobody asserts"
            case ast.Call(func=ast.Attribute(attr="raises"), args=[ast.Name(id=name), *_]) if (
                name in {"Exception", "BaseException"}
            ):
                yield node.lineno, f"raises({name}) takes a bug for the expected error"


def _kinds(test: ast.expr) -> Iterator[str]:
    match test:
        case ast.Constant(value=value) if value:
            yield "a constant"
        case _ if isinstance(test, ALWAYS_TRUE):
            yield "a value that is always true"
        case ast.List(elts=[_, *_]) | ast.Set() | ast.Dict(keys=[_, *_]):
            yield "a collection that is never empty"
        case ast.BoolOp(op=ast.Or(), values=[first, *rest]):
            if any(isinstance(each, ast.Constant) and each.value for each in (first, *rest)):
                yield "or with a constant"
            if _is_expectation(first) and any(isinstance(each, ast.Compare) for each in rest):
                yield "two expectations, of which the first may never hold"
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            if ast.dump(left) == ast.dump(right) and not _calls(left):
                yield "a comparison of a thing with itself"
            if isinstance(op, ast.GtE) and _is_length(left) and _is_zero(right):
                yield "a length is never below zero"


def _is_expectation(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], (ast.Eq, ast.In))


def _calls(test: ast.expr) -> bool:
    return any(isinstance(each, ast.Call) for each in ast.walk(test))


def _is_length(test: ast.expr) -> bool:
    return isinstance(test, ast.Call) and getattr(test.func, "id", None) == "len"


def _is_zero(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and test.value == 0


def test_no_assertion_is_always_true() -> None:
    """In no module of the suite, this one included."""
    found = [
        f"tests/{name}:{line}: {kind}"
        for name, tree in parsed().items()
        for line, kind in faults(tree)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "assert (a == b, 'words')",
        "assert 'words'",
        "assert f'{a}'",
        "assert [a]",
        "assert (x for x in y)",
        "assert a == b or True",
        "assert a == {'line': 9} or a['line'] in {3, 5}",
        "assert a.b == a.b",
        "assert len(a) >= 0",
        "a == b",
        "with pytest.raises(Exception): f()",
    ],
)
def test_each_kind_is_found(code: str) -> None:
    """The search itself can fail, too."""
    assert len(list(faults(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    "code",
    ["assert a is None or a == b", "assert not a or b", "assert a() == a()", "assert a == (1, 2)"],
)
def test_honest_assertions_are_let_through(code: str) -> None:
    """Implications, and calls that may differ."""
    assert list(faults(ast.parse(code))) == []


# ---------------------------------------------------------------- tests without any assertion


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions and methods of a module."""
    return (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def called(function: ast.FunctionDef) -> set[str]:
    """The names of what a function calls, without what they belong to."""
    calls = (each.func for each in ast.walk(function) if isinstance(each, ast.Call))
    names = (getattr(each, "attr", None) or getattr(each, "id", None) for each in calls)
    return {name for name in names if name}


def fails_by_itself(function: ast.FunctionDef, calls: set[str]) -> bool:
    """Whether something in the function can fail, or in what other packages have of its calls."""
    stated = any(isinstance(each, (ast.Assert, ast.Raise)) for each in ast.walk(function))
    return stated or bool(calls & ASSERTING)


def test_every_test_can_fail() -> None:
    """It asserts something, or calls a helper of the suite that does."""
    every = [
        (name, each, called(each)) for name, tree in parsed().items() for each in functions(tree)
    ]
    asserting = {each.name for _, each, calls in every if fails_by_itself(each, calls)}
    while more := {each.name for _, each, calls in every if calls & asserting} - asserting:
        asserting |= more
    silent = [
        f"tests/{name}:{each.lineno}: {each.name}"
        for name, each, _ in every
        if each.name.startswith("test_") and each.name not in asserting
    ]
    assert not silent, "\n".join(silent)
