"""What is measured with: pair files with the portal that fits them, and octoDNS zones as large."""

from __future__ import annotations

import json
import subprocess
from itertools import islice, permutations
from pathlib import Path

ROOT = Path(__file__).parent.parent

# The sandbox's generated portal: the limit of every label, and the object limit above it.
LABEL_LIMIT = 1
OBJECT_LIMIT = 1_001


def seed(count: int, limits: int, *, with_limits: bool = True) -> object:
    """A seed of so many directions with so many limits each, the object limit among them."""
    limit = LABEL_LIMIT if with_limits else None
    return {"extends": {"directions": count, "labels": limits - 1, "limit": limit}}


def pair_files(
    directory: Path, files: int, limits: int, *, raised_by: int = 0, every: int = 1
) -> None:
    """A git repository with one direction in each file, equal to the portal of the same size.

    `raised_by`: how much every so many-th limit, counted through all files, is above the portal's.
    """
    configs = directory / "configs"
    configs.mkdir(parents=True)
    for number, (from_id, to_id) in enumerate(directions(files)):
        raised = [raised_by if (number * limits + n) % every == 0 else 0 for n in range(limits)]
        lines = [
            f"from: {from_id}",
            f"to: {to_id}",
            f"max: {OBJECT_LIMIT + raised[0]}   # room for a whole department",
            *(("labels:",) if limits > 1 else ()),
            *(f"  Label {n}: {LABEL_LIMIT + raised[n]}" for n in range(1, limits)),
        ]
        path = configs / f"{from_id}_{to_id}.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _commit(directory)


def directions(count: int) -> list[tuple[str, str]]:
    """The directions that the sandbox generates, in its order."""
    objects = next(n for n in range(2, count + 2) if n * (n - 1) >= count)
    return list(islice(permutations([f"2-{9000 + n}" for n in range(objects)], 2), count))


def _commit(directory: Path) -> None:
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-q", "-m", "limits")):
        subprocess.run(("git", *arguments), cwd=directory, check=True)


def zones(directory: Path, files: int, records: int) -> Path:
    """An octoDNS configuration with YAML as source and as target; returns its path."""
    source = directory / "zones"
    source.mkdir(parents=True)
    (directory / "target").mkdir()
    names = [f"zone{number}.example." for number in range(files)]
    for name in names:
        lines = [
            f"name{n}:\n  ttl: 300\n  type: A\n  value: 192.0.2.{n % 250 + 1}"
            for n in range(records)
        ]
        (source / f"{name}yaml").write_text("---\n" + "\n".join(lines) + "\n", encoding="utf-8")
    provider = {"class": "octodns.provider.yaml.YamlProvider", "enforce_order": False}
    config = {
        "providers": {
            "config": {**provider, "directory": str(source)},
            "target": {**provider, "directory": str(directory / "target")},
        },
        "zones": {name: {"sources": ["config"], "targets": ["target"]} for name in names},
    }
    path = directory / "octodns.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
