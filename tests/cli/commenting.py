"""Run `comment` as a GitHub workflow's job does."""

from __future__ import annotations

from tests.ci.github_api import GitHub
from tests.ci.here import run_here
from tests.cli.running import Desk, Ran


def comment(job: Desk, *arguments: str) -> Ran:
    """Run the command; whatever happens, no token is shown."""
    ran = run_here(job, "comment", *(arguments or ("plan.json",)))
    for token in (GitHub.TOKEN, GitHub.PERSONAL, GitHub.READ_ONLY):
        assert token not in ran.out + ran.err
    return ran
