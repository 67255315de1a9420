"""The commands on files that nobody vouches for: an exit code of theirs, and no internal error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.running import Desk, Ran
from tests.fuzz.targets import TARGETS
from tests.fuzz.test_fuzz import inputs

few = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@few
@given(content=inputs(TARGETS["pair"]), kind=st.sampled_from(["text", "json", "github", "sarif"]))
def test_validate_takes_any_pair_file(tmp_path: Path, content: bytes, kind: str) -> None:
    """Valid or not, in every format."""
    ran = _with_file(tmp_path, "configs/pair.yaml", content).run_here("validate", "--format", kind)
    _expect(ran, {0, 3})


@few
@given(content=inputs(TARGETS["workspace"]))
def test_validate_takes_any_workspace_file(tmp_path: Path, content: bytes) -> None:
    """What it says may be wrong usage as well, such as pair files that are not there."""
    desk = _with_file(tmp_path, "reconciler.yaml", content)
    _expect(desk.run_here("validate"), {0, 1, 3, 64})


@pytest.mark.parametrize("command", ["show", "apply"])
@few
@given(content=inputs(TARGETS["plan"]))
def test_a_plan_can_be_any_file(tmp_path: Path, command: str, content: bytes) -> None:
    """Shown, refused, or taken for a pair file; without a token nothing can be applied."""
    _with_file(tmp_path, "plan.json", content)
    _expect(Desk(tmp_path).run_here(command, "plan.json"), {0, 1, 3, 4, 64})


def _with_file(folder: Path, path: str, content: bytes) -> Desk:
    file = folder / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return Desk(folder)


def _expect(ran: Ran, codes: set[int]) -> None:
    assert "internal error" not in ran.out + ran.err, ran.err
    assert ran.code in codes, (ran.code, ran.out, ran.err)
