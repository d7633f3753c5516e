"""The files for CI systems: their own steps, extracted from them and run as the system would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
POLICY = """
[[rule]]
id = "names-things"
kind = "absolute"
audit = "zero_shot"
metric = "accuracy"
min = 0.5
"""
GOOD, BAD = "control:classifier?accuracy=0.9", "control:classifier?accuracy=0.2"


def action_script(inputs: dict[str, str], runner: Path) -> list[tuple[str, str, dict[str, str]]]:
    """Name, script and environment of each shell step of the action that runs for these inputs; without installing."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    given = {name: inputs.get(name, str(spec.get("default", ""))) for name, spec in action["inputs"].items()}

    def filled(text: str) -> str:
        text = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], text)
        return text.replace("${{ runner.temp }}", str(runner)).replace("${{ github.action_path }}", str(ROOT))

    steps = []
    for step in action["runs"]["steps"]:
        if "run" not in step or step["name"] == "Install":
            continue
        assert step["shell"] == "bash"
        if step.get("if") == "inputs.policy != ''" and not given["policy"]:
            continue
        steps.append((step["name"], step["run"], {key: filled(value) for key, value in step["env"].items()}))
    return steps


def run_step(script: str, environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """As the runner does: bash, ending at the first command that fails."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, env=env | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("model", "code", "word"), [(GOOD, 0, "PASS"), (BAD, 1, "FAIL")])
def test_the_action_audits_gates_and_writes_the_summary(model: str, code: int, word: str, tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text(POLICY, encoding="utf-8")
    inputs = {"model": model, "suite": "zero_shot", "policy": "gate.toml", "data": "objects\n", "arguments": "--seed=3"}
    (_, audit, audit_env), (_, gate, gate_env) = action_script(inputs, tmp_path / "temp")
    audited = run_step(audit, audit_env, tmp_path)
    assert audited.returncode == 0, audited.stderr
    out = tmp_path / "clipaudit-run"
    assert json.loads((out / "manifest.json").read_text())["seed"] == 3
    gated = run_step(gate, gate_env, tmp_path)
    assert gated.returncode == code, gated.stderr
    assert word in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert (out / "junit.xml").is_file()
    assert (out / "report.html").is_file()
    assert ("::error" in gated.stdout) == (word == "FAIL")


def test_no_input_is_pasted_into_a_script() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)  # an input that holds a command would be run


def test_an_input_that_holds_a_command_is_only_a_name(tmp_path: Path) -> None:
    hostile = "zero_shot; touch stolen $(touch stolen) `touch stolen`"
    steps = action_script({"model": GOOD, "suite": hostile, "data": "$(touch stolen)"}, tmp_path / "temp")
    assert len(steps) == 1  # no policy, no gate
    assert run_step(steps[0][1], steps[0][2], tmp_path).returncode == 2
    assert not (tmp_path / "stolen").exists()


def test_the_gitlab_job_runs(tmp_path: Path) -> None:
    (tmp_path / "gate.toml").write_text(POLICY, encoding="utf-8")
    spec, jobs = yaml.safe_load_all((ROOT / "ci" / "gitlab.yml").read_text(encoding="utf-8"))
    inputs = {name: str(each.get("default", "")) for name, each in spec["spec"]["inputs"].items()}
    inputs |= {"model": GOOD, "suite": "zero_shot", "policy": "gate.toml"}

    def filled(value: Any) -> str:
        return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda match: inputs[match[1]], str(value))

    job = jobs["clipaudit"]
    variables = {
        key: filled(value).replace("$CI_PROJECT_DIR", str(tmp_path)) for key, value in job["variables"].items()
    }
    done = run_step("\n".join(job["script"]), variables, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / job["artifacts"]["reports"]["junit"]).is_file()
    assert (tmp_path / job["artifacts"]["paths"][0] / "report.html").is_file()


def test_the_hook_takes_the_files_of_init_and_stops_at_faults(tmp_path: Path) -> None:
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))[0]
    assert run_step("clipaudit init", {}, tmp_path).returncode == 0
    files = sorted(
        str(path.relative_to(tmp_path))
        for path in (tmp_path / "audit").rglob("*")
        if re.search(hook["files"], str(path))
    )
    assert files == ["audit/gate.toml", "audit/photos/clipaudit.toml", "audit/suite.toml"]
    good = run_step(f"{hook['entry']} {' '.join(files)}", {}, tmp_path)
    assert good.returncode == 0, good.stderr
    assert good.stdout.splitlines()[0] == "audit/gate.toml: policy of 4 rules"
    (tmp_path / "suite.toml").write_text('id = "x"\n[[audits]]\nid = "typographic"\nparams = { area = 7 }\n')
    (tmp_path / "gate.toml").write_text(POLICY.replace('"accuracy"', '"acuracy"'))
    (tmp_path / "clipaudit.toml").write_text('id = "shop"\ntitle = "x"\n')
    bad = run_step(f"{hook['entry']} suite.toml gate.toml clipaudit.toml none.toml", {}, tmp_path)
    assert bad.returncode == 2
    lines = bad.stderr.splitlines()
    assert "suite.toml: entry 1: audit 'typographic': parameter area" in lines[0]
    assert "gate.toml: rule names-things: zero_shot has no metric 'acuracy'; did you mean accuracy" in lines[1]
    assert "clipaudit.toml" in lines[2]
    assert "none.toml: No such file" in lines[3]
