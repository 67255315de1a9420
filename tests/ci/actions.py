"""GitHub's runner as far as it matters here: steps, conditions, variables, outputs, artifacts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.ci.expressions import evaluate, filled, shown
from tests.ci.machine import ROOT, Machine
from tests.ci.shell import Coverage, Done, run_script

Document = Mapping[str, Any]


def load(path: str) -> Any:
    """A YAML file of the project."""
    return YAML(typ="safe").load((ROOT / path).read_text("utf-8"))


ACTION = load("action.yml")
WORKFLOWS = {
    name: load(f"examples/ci/github/hubspot-{name}.yml")
    for name in ("plan", "apply", "drift", "accept-drift")
}


for _workflow in WORKFLOWS.values():
    for _job in _workflow["jobs"].values():
        _job["env"] = {**_workflow.get("env", {}), **_job.get("env", {})}


def scripts(steps: list[Document]) -> list[str]:
    """The shell scripts of steps."""
    return [step["run"] for step in steps if "run" in step]


OWN_ACTION = "-your-org-/hubspot-reconciler"
"""The recipes' name for this project: GitHub lets no name begin with a hyphen."""


class StepFailed(AssertionError):
    """A step ended with a status; of the later ones only those run that ask for it."""

    def __init__(self, name: str, done: Done, outputs: dict[str, str]) -> None:
        super().__init__(f"{name}: {done.code}\n{done.out}\n{done.err}")
        self.done = done
        self.outputs = outputs


@dataclass(frozen=True)
class Step:
    """A step that ran, and the variables that it was given."""

    name: str
    env: Mapping[str, str]


@dataclass
class Runner:
    """Runs a job's steps in a folder. `github`: that context; `env`: its variables besides."""

    folder: Path
    machine: Machine
    coverage: Coverage
    github: dict[str, Any]
    env: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Path] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    path: list[str] = field(default_factory=list)
    ran: list[Step] = field(default_factory=list)

    def run_job(self, job: Document, needs: Mapping[str, Mapping[str, str]] | None = None) -> Any:
        """Run a job; its outputs. None where its condition says no."""
        contexts = self._contexts({}, needs={k: {"outputs": v} for k, v in (needs or {}).items()})
        if "if" in job and not evaluate(job["if"], contexts):
            return None
        env = {name: filled(value, contexts) for name, value in job.get("env", {}).items()}
        steps = self._run_steps(job["steps"], contexts, env)
        done = {**contexts, "steps": steps}
        return {name: filled(value, done) for name, value in job.get("outputs", {}).items()}

    def run_action(self, inputs: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
        """Run the project's own action with these inputs and the step's variables; its outputs."""
        unknown = set(inputs) - set(ACTION["inputs"])
        assert not unknown, f"the action has no input {unknown}"
        contexts = self._contexts({})
        given = {
            name: shown(inputs.get(name, filled(each.get("default", ""), contexts)))
            for name, each in ACTION["inputs"].items()
        }
        contexts = self._contexts(given)
        steps = self._run_steps(ACTION["runs"]["steps"], contexts, env)
        done = {**contexts, "steps": steps}
        return {name: filled(each["value"], done) for name, each in ACTION["outputs"].items()}

    def _contexts(self, inputs: Mapping[str, str], **more: Any) -> dict[str, Any]:
        github = {
            **self.github,
            "token": "ghs_workflow_token_0123456789",
            "action_path": str(ROOT),
        }
        runner = {"temp": str(self.machine.temp)}
        return {
            "github": github,
            "inputs": inputs,
            "runner": runner,
            "secrets": self.secrets,
            **more,
        }

    def _run_steps(
        self, steps: list[Document], contexts: Mapping[str, Any], env: Mapping[str, str]
    ) -> dict[str, Any]:
        known: dict[str, Any] = {
            step["id"]: {"outputs": {}, "outcome": "skipped"} for step in steps if "id" in step
        }
        failed: StepFailed | None = None
        for step in steps:
            status = {"always": True, "failure": failed is not None, "cancelled": False}
            context = {**contexts, **status, "steps": known}
            condition = step.get("if", "")
            if failed and not any(f"{each}()" in condition for each in status):
                continue
            if condition and not evaluate(condition.replace("()", ""), context):
                continue
            own = {name: filled(value, context) for name, value in step.get("env", {}).items()}
            try:
                done = {
                    "outputs": self._run_step(step, context, {**env, **own}),
                    "outcome": "success",
                }
            except StepFailed as error:
                failed = failed or error
                done = {"outputs": error.outputs, "outcome": "failure"}
            if "id" in step:
                known[step["id"]] = done
        if failed:
            raise failed
        return known

    def _run_step(
        self, step: Document, contexts: Mapping[str, Any], env: Mapping[str, str]
    ) -> dict[str, str]:
        if "run" in step:
            return self._run_script(step, env)
        self.ran.append(Step(step.get("name", step["uses"]), {**self.env, **env}))
        given = {name: filled(value, contexts) for name, value in step.get("with", {}).items()}
        name, _, version = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", version), step["uses"]
        match name:
            case "actions/checkout":
                return {}
            case "actions/setup-python":
                assert given["update-environment"] == "false"
                return {"python-path": self.machine.python}
            case "actions/upload-artifact":
                return self._upload(given)
            case "actions/download-artifact":
                shutil.copytree(self.artifacts[given["name"]], given["path"], dirs_exist_ok=True)
                return {}
            case _ if name == OWN_ACTION:
                return self.run_action(given, env)
        raise AssertionError(f"an action that is not known here: {name}")

    def _upload(self, given: Mapping[str, str]) -> dict[str, str]:
        source = Path(given["path"])
        if not source.exists() or (source.is_dir() and not any(source.iterdir())):
            assert given.get("if-no-files-found") == "ignore", f"{source} is missing"
            return {}
        target = self.machine.top / "artifacts" / given["name"]
        shutil.rmtree(target, ignore_errors=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.mkdir(parents=True)
            shutil.copy(source, target)
        self.artifacts[given["name"]] = target
        return {}

    def _run_script(self, step: Document, env: Mapping[str, str]) -> dict[str, str]:
        files = {
            name: self.machine.top / name.lower()
            for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
        }
        for file in files.values():
            file.write_text("")
        known = {**self.machine.env, **self.env, **env, "RUNNER_TEMP": str(self.machine.temp)}
        known["PATH"] = ":".join([*self.path, known["PATH"]])
        known |= {name: str(file) for name, file in files.items()}
        self.ran.append(Step(step.get("name", ""), known))
        scratch = self.machine.top
        done = run_script(step["run"], self.folder, known, self.coverage, scratch)
        self.log += done.out + done.err
        self.path = [*files["GITHUB_PATH"].read_text().splitlines(), *self.path]
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        lines = files["GITHUB_OUTPUT"].read_text("utf-8").splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        if done.code:
            raise StepFailed(step.get("name", ""), done, outputs)
        return outputs
