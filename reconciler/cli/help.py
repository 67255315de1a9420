"""What the end of each command's `--help` says: what it writes, and two examples to type.

Static texts: the help of the command line imports no command for them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ending:
    """What a command writes, in a sentence or two, and examples of it as they are typed."""

    writes: str
    examples: tuple[str, ...]


ENDINGS = {
    "init": Ending(
        "files in DIR, each only where there is none of its name. Nothing in the portal.",
        (
            "reconciler init",
            "reconciler init limits --portal production --ci github",
        ),
    ),
    "import": Ending(
        "pair files; existing ones only with --update. Nothing in the portal.",
        (
            "reconciler import --portal production",
            "reconciler import --portal production --pair contacts:companies --update",
        ),
    ),
    "validate": Ending(
        "nothing, and asks no portal.",
        (
            "reconciler validate",
            "reconciler validate configs/deals.yaml --format json",
        ),
    ),
    "fmt": Ending(
        "the pair files that are not canonical; with --check nothing.",
        (
            "reconciler fmt",
            "reconciler fmt --check --diff",
        ),
    ),
    "plan": Ending(
        "the files of --out and --digests. Nothing in the portal.",
        (
            "reconciler plan --portal production",
            "reconciler plan --portal production --base origin/main --out plan.json",
        ),
    ),
    "show": Ending(
        "nothing, and asks no portal.",
        (
            "reconciler show plan.json",
            "reconciler show plan.json --format markdown",
        ),
    ),
    "apply": Ending(
        "limits in the portal, and the file of --journal. With --dry-run nothing in the portal.",
        (
            "reconciler apply plan.json --journal journal.jsonl",
            "reconciler apply --portal production --auto-approve",
        ),
    ),
    "comment": Ending(
        "one comment on the pull or merge request. Nothing in the portal, no files.",
        (
            "reconciler comment plan.json",
            "reconciler comment --failed --reason plan.log",
        ),
    ),
    "status": Ending(
        "nothing: only reads are sent.",
        (
            "reconciler status --portal production",
            "reconciler status --portal production --format json",
        ),
    ),
    "compare": Ending(
        "nothing; with --write pair files. Nothing in the portals.",
        (
            "reconciler compare production staging",
            "reconciler compare production staging --write limits --format markdown",
        ),
    ),
    "doctor": Ending(
        "nothing: only reads are sent.",
        (
            "reconciler doctor --portal production",
            "reconciler doctor --all-portals --format json",
        ),
    ),
    "schema": Ending(
        "nothing; with --portal only reads are sent.",
        (
            "reconciler schema plan",
            "reconciler schema pair --portal production",
        ),
    ),
    "completion": Ending(
        "nothing, and asks no portal.",
        (
            'eval "$(reconciler completion bash)"',
            "reconciler completion fish > ~/.config/fish/completions/reconciler.fish",
        ),
    ),
    "explain": Ending(
        "nothing, and asks no portal.",
        (
            "reconciler explain label-unknown",
            "reconciler explain max_deletes --format json",
        ),
    ),
    "portals": Ending(
        "nothing, and asks no portal.",
        (
            "reconciler portals",
            "reconciler portals --format github-matrix",
        ),
    ),
    "sandbox": Ending(
        "the file of --state. HubSpot is never asked.",
        (
            "reconciler sandbox --port 8111",
            "reconciler sandbox --port 8111 --state portal.json --latency 100",
        ),
    ),
}
"""By command; each has one, and those that are here exist or are to come."""

EPILOGS = {
    name: "\n".join(
        [f"Writes {each.writes}", "", "\b", "Examples:", *map("  {}".format, each.examples)]
    )
    for name, each in ENDINGS.items()
}
"""As click takes them: `\\b` keeps the lines of a paragraph as they are."""

EPILOG = """\
Only `apply` writes to a portal. Exit codes: 0 done, 1 error, 2 changes pending, 3 configuration
invalid, 4 refused, 5 apply incomplete, 64 wrong usage.

\b
Examples:
  reconciler plan --out plan.json
  reconciler apply plan.json
"""
"""The end of the help of all commands."""
