"""What GitHub's API says of pull requests and of workflow runs, as far as the recipes ask."""

from __future__ import annotations

from typing import Any

Entry = dict[str, Any]
OURS = {"full_name": "acme/limits"}
STRANGERS = {"full_name": "mallory/limits"}


def pull_request(merge: str, head: str) -> Entry:
    """Pull request 7 of a branch of this repository, merged into main as `merge`."""
    return {
        "number": 7,
        "merged_at": "2026-11-21T09:00:00Z",
        "merge_commit_sha": merge,
        "head": {"sha": head, "repo": OURS},
        "base": {"ref": "main", "repo": OURS},
    }


def plan_run(head: str) -> Entry:
    """Run 81 of the plan workflow, for a branch of this repository."""
    return {"id": 81, "event": "pull_request", "head_sha": head, "head_repository": OURS}


def apply_run(head: str) -> Entry:
    """A run of the apply workflow on main."""
    return {"event": "push", "head_branch": "main", "head_sha": head, "head_repository": OURS}


def runs(*entries: Entry) -> Entry:
    """A listing of runs, the newest first."""
    return {"total_count": len(entries), "workflow_runs": list(entries)}
