"""The recipes for many machines: valid for their engines, and run against sandbox portals."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ci.actions import load
from tests.ci.machine import ROOT
from tests.ci.test_linters import tool
from tests.cli.fleet import Fleet, fleet

SCALE = ROOT / "examples" / "scale"
MANIFESTS = ("kubernetes-job.yaml", "kubernetes-cronjob.yaml")


def recipe(name: str) -> Any:
    """One of the recipes."""
    return load(f"examples/scale/{name}")


def pod(manifest: Any) -> Any:
    """What the pods of a Job or CronJob are made from."""
    spec = manifest["spec"]
    return (spec["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else spec)["template"]


# ---------------------------------------------------------------- what the engines accept


def test_actionlint_and_zizmor_find_nothing(tmp_path: Path) -> None:
    """In the workflow, in a repository that has the action beside it."""
    target = tmp_path / ".github" / "workflows"
    target.mkdir(parents=True)
    shutil.copy(SCALE / "github-shards.yml", target)
    shutil.copy(ROOT / "action.yml", tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for command in (["actionlint", "-no-color"], ["zizmor", "--offline", "--no-progress", "."]):
        done = subprocess.run(
            [tool(command[0]), *command[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifests_fit_the_schemas_of_kubernetes() -> None:
    """By kubernetes-validate where it is installed; unknown fields are errors."""
    done = subprocess.run(
        [tool("kubernetes-validate"), "--strict", *(str(SCALE / each) for each in MANIFESTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_says_what_kubernetes_asks_for(name: str) -> None:
    """The fields that the API server demands, and those that a restricted namespace does.

    Kept by hand, after the reference of batch/v1 and the Pod Security Standards.
    """
    manifest = recipe(name)
    assert manifest["apiVersion"] == "batch/v1"
    assert manifest["metadata"]["name"]
    template = pod(manifest)["spec"]
    assert template["restartPolicy"] == "Never"
    assert template["securityContext"]["runAsNonRoot"] is True
    assert template["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = template["containers"]
    assert container["name"]
    assert container["image"].rpartition(":")[2] == "0.1.0"
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    volumes = {each["name"] for each in template["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes


def test_an_indexed_job_has_a_pod_for_each_shard() -> None:
    """As many completions as shards; a limit per index goes with the indexed mode only."""
    spec = recipe("kubernetes-job.yaml")["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["parallelism"] <= spec["completions"] == shards_of_the_job()
    (rule,) = spec["podFailurePolicy"]["rules"]
    (container,) = pod(recipe("kubernetes-job.yaml"))["spec"]["containers"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert rule["action"] == "FailIndex"
    assert 0 not in rule["onExitCodes"]["values"], "a success is no failure"


def shards_of_the_job() -> int:
    """The N of `--shard I/N` in the job's command."""
    (container,) = pod(recipe("kubernetes-job.yaml"))["spec"]["containers"]
    return int(container["args"][0].partition("))/")[2].partition('"')[0])


def test_the_pipeline_has_a_job_for_each_shard() -> None:
    """Each once, and no other."""
    (matrix,) = recipe("gitlab-shards.yml")["apply-shard"]["parallel"]["matrix"]
    total = len(matrix["SHARD"])
    assert matrix["SHARD"] == [f"{each}/{total}" for each in range(1, total + 1)]


# ---------------------------------------------------------------- what they do


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Fleet]:
    """A workspace of six portals, and `reconciler` on the PATH, in haste."""
    with fleet(tmp_path, 6) as found:
        command = tmp_path / "bin" / "reconciler"
        command.parent.mkdir()
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n')
        command.chmod(0o755)
        found.variables["PATH"] = f"{command.parent}:{os.environ['PATH']}"
        yield found


def in_haste(script: str) -> str:
    """With two shards in place of eight, and no time to settle."""
    assert any(each in script for each in ("8", "SHARD"))
    fewer = script.replace('/8"', '/2"').replace("--shards 8", "--shards 2")
    return fewer.replace(" apply ", " apply --settle 0 ")


def run(many: Fleet, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the engine does, in the checkout."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=many.folder,
        env={**many.env, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_pods_of_the_job_apply_to_every_portal_once(many: Fleet) -> None:
    """Their logs, put together by `show`, are the result of one apply."""
    (container,) = pod(recipe("kubernetes-job.yaml"))["spec"]["containers"]
    script = in_haste(container["args"][0])
    for index in range(2):
        done = subprocess.run(
            [*container["command"], script],
            cwd=many.folder,
            env={**many.env, "JOB_COMPLETION_INDEX": str(index)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        (many.folder / f"{index}.json").write_text(done.stdout)
    assert [many.limit_of(each) for each in many.names] == [8] * 6
    assert {tuple(many.writes_to(each)) for each in many.names} == {("update", "update")}
    logs = [str(each) for each in sorted(many.folder.glob("?.json"))]
    found = many.run_here("show", *logs, "--format", "json")
    assert (found.code, found.json["exit_code"]) == (0, 0)
    assert len(found.json["results"]) == 6


def test_the_nightly_look_fails_where_a_portal_differs(many: Fleet) -> None:
    """Exit 2 while the portals differ."""
    (container,) = pod(recipe("kubernetes-cronjob.yaml"))["spec"]["containers"]
    assert container["command"][0] == "reconciler"
    assert many.run_here(*container["command"][1:]).code == 2


def test_the_workflow_applies_to_every_portal_and_makes_one_summary(many: Fleet) -> None:
    """With the tokens of one secret, and only those that are meant for HubSpot."""
    jobs = recipe("github-shards.yml")["jobs"]
    tokens = "\n".join(
        [*(f"{name}={many.variables.pop(name)}" for name in list(many.variables)
           if name.startswith("HUBSPOT_")), "", "PATH=/nowhere"]
    )  # fmt: skip
    output = many.folder / "output"
    listed = run(many, in_haste(jobs["portals"]["steps"][-1]["run"]), GITHUB_OUTPUT=str(output))
    assert listed.returncode == 0, listed.stderr
    matrix = json.loads(output.read_text().removeprefix("matrix="))
    apply = next(each for each in jobs["apply"]["steps"] if each.get("name") == "Apply")
    for number, job in enumerate(matrix["include"]):
        done = run(many, in_haste(apply["run"]), TOKENS=tokens, SHARD=job["shard"])
        assert done.returncode == 0, done.stderr
        kept = many.folder / "results" / str(number)
        shutil.move(many.folder / "result", kept)
    assert [many.limit_of(each) for each in many.names] == [8] * 6
    summary = many.folder / "summary.md"
    done = run(many, jobs["summary"]["steps"][-1]["run"], GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert all(each in summary.read_text() for each in many.names)


def test_the_pipeline_applies_one_shard_per_job(many: Fleet) -> None:
    """And says in the end what became of all of them."""
    pipeline = recipe("gitlab-shards.yml")
    script = in_haste(pipeline["apply-shard"]["script"][0])
    for each in ("1/2", "2/2"):
        done = run(many, script, SHARD=each)
        assert done.returncode == 0, done.stderr
    done = run(many, pipeline["summary"]["script"][0])
    assert done.returncode == 0, done.stderr
    assert all(each in done.stdout for each in many.names)
