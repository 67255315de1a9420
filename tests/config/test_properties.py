"""What holds for every file: places lead to what they are about, and nothing ends in a traceback."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.loading import Configuration, parse
from reconciler.config.sources import Loaded, Source
from reconciler.config.workspace_file import parse_workspace
from reconciler.errors import ConfigurationInvalid
from reconciler.model.limits import Label, Unlabelled
from tests.config.support import PATH, PATIENT, found, text
from tests.config.test_pair import SAMPLE
from tests.config.test_workspace import SAMPLE as WORKSPACE_SAMPLE

pytestmark = pytest.mark.usefixtures("parser")

MAXIMA = st.one_of(st.just("unlimited"), st.integers(1, 50_000).map(str))
LABELS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=10)


@dataclass(frozen=True)
class Written:
    """A label and how its limit was written."""

    label: str
    maximum: str
    style: int

    @property
    def line(self) -> str:
        key = json.dumps(self.label, ensure_ascii=self.style % 2 == 0 or not self.prints)
        value = self.maximum if self.style < 2 else f"{{reason: é, max: {self.maximum}}}"
        return f"  {key}: {value}  # é\n"

    @property
    def prints(self) -> bool:
        return self.label.isprintable()


WRITTEN = st.builds(
    Written, LABELS.filter(lambda label: max(label) <= "\uffff"), MAXIMA, st.integers(0, 3)
)


@PATIENT
@given(
    st.sampled_from(["unlimited", "50000"]),
    st.lists(WRITTEN, min_size=1, max_size=6, unique_by=lambda each: each.label),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_a_limit_s_place_is_where_its_value_stands(
    object_limit: str, labels: list[Written], ending: str, mark: str
) -> None:
    """Whatever the labels hold, however lines end; in the mapping form behind `max`."""
    lines = [f"from: a\nto: b\nmax: {object_limit}\nlabels:\n", *(each.line for each in labels)]
    content = mark + "".join(lines).replace("\n", ending)
    loaded = parse([Source(PATH, content.encode())], prune=True)
    (direction,) = loaded.desired.directions
    selectors = [limit.selector for limit in direction.limits]
    assert selectors == [Unlabelled(), *(Label(each.label) for each in labels)]
    rows = content.removeprefix(mark).split(ending)
    for limit in direction.limits:
        stands = rows[limit.place.line - 1][limit.place.column - 1 :]
        assert stands.startswith("unlimited" if limit.max is None else str(limit.max))


@st.composite
def damaged(draw: st.DrawFn, document: str) -> str:
    """A valid file with a few of its characters replaced, removed or added."""
    content = text(document)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        gone = draw(st.integers(0, 6))
        new = draw(
            st.one_of(
                st.text(
                    st.sampled_from(list(" \n\t:{}[]-?&*!|>'\"%@#,~0159.exé\ufeff\u2028\0")),
                    max_size=4,
                ),
                st.sampled_from(
                    ["null", "---\n", "<<: ", "inverse:\n", "max: ", "[" * 40, "\ud7ff"]
                ),
            )
        )
        content = content[:at] + new + content[at + gone :]
    return content


def check_places(content: bytes, error: ConfigurationInvalid) -> None:
    """Every diagnostic leads to a line of the file, or to the one after its last."""
    lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert error.diagnostics
    for problem in error.diagnostics:
        assert 1 <= problem.place.line <= len(lines) + 1
        row = lines[problem.place.line - 1] if problem.place.line <= len(lines) else ""
        assert 1 <= problem.place.column <= len(row) + 2
        assert problem.message.isprintable()
        assert problem.hint is None or problem.hint.isprintable()


@PATIENT
@given(damaged(SAMPLE))
def test_a_damaged_pair_file_is_limits_or_diagnostics(content: str) -> None:
    """Never another exception."""
    encoded = content.encode()
    try:
        parse([Source(PATH, encoded)], prune=True)
    except ConfigurationInvalid as error:
        check_places(encoded, error)


@PATIENT
@given(damaged(WORKSPACE_SAMPLE))
def test_a_damaged_workspace_file_is_a_workspace_or_diagnostics(content: str) -> None:
    """Never another exception."""
    encoded = content.encode()
    try:
        parse_workspace(Source("reconciler.yaml", encoded))
    except ConfigurationInvalid as error:
        check_places(encoded, error)


@PATIENT
@given(st.binary(max_size=80))
def test_any_bytes_are_limits_or_diagnostics(content: bytes) -> None:
    """Never another exception."""
    assert all(line >= 1 and column >= 1 for _, line, column in found(content))


@PATIENT
@given(damaged(SAMPLE), damaged(SAMPLE))
def test_a_damaged_overlay_gives_limits_or_diagnostics(base: str, overlay: str) -> None:
    """Never another exception, and every diagnostic is about one of the two files."""
    layers = {"over": [Source("over/a.yaml", overlay.encode())]}
    try:
        found = Configuration([Source(PATH, base.encode())], layers).loaded(["over"]).warnings
    except ConfigurationInvalid as error:
        found = error.diagnostics
    for problem in found:
        assert problem.place.path in {PATH, "over/a.yaml"}
        assert problem.message.isprintable()


def test_an_overlay_that_says_the_same_changes_nothing_but_the_places() -> None:
    """Values, protection and reasons stay."""
    content = text(SAMPLE).encode()
    layers = {"over": [Source("over/a.yaml", content)]}
    configuration = Configuration([Source(PATH, content)], layers)

    def said(loaded: Loaded) -> list[object]:
        return [
            (direction.from_, direction.to, limit.selector, limit.max, limit.protect, limit.reason)
            for direction in loaded.desired.directions
            for limit in direction.limits
        ]

    above = configuration.loaded(["over"])
    assert said(above) == said(configuration.loaded())
    assert {
        limit.place.path for direction in above.desired.directions for limit in direction.limits
    } == {"over/a.yaml"}
