"""One session of the command line, offline and with secrets in its environment: no connection, and no secret anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from clipaudit.redact import hidden, is_secret, secrets
from clipaudit.text import printable

HERE = Path(__file__).parent
SECRETS = {
    "HF_TOKEN": "hf_canaryOfTheHub",
    "AWS_SECRET_ACCESS_KEY": "canary+of/Amazon&co",
    "AWS_ACCESS_KEY_ID": "AKIACANARYID",
    "MY_API_KEY": 'canary"quoted\\back',
    "DB_PASSWORD": "canary-pässword",
}
CANARIES = ("canaryOf", "canary+of", "AKIACANARY", "canary\"quoted", "canary\\", "canary-p", "canary-in", "canary&")  # fmt: skip
POLICY = '[[rule]]\nid = "works"\nkind = "absolute"\naudit = "zero_shot"\nmetric = "accuracy"\nmin = 0.0\n'
QUICK = "run quick --limit 8 --audit zero_shot --audit retrieval_skew"
COMMANDS = {
    "run": f"{QUICK} --model control:null?seed=1 --out runs/AKIACANARYID --offline",
    "doctor": "doctor --offline",
    "gate": "--offline gate runs/AKIACANARYID --policy gate.toml --json gate.json --junit gate.xml --markdown gate.md",
    "report": "report --offline runs/AKIACANARYID",
    "markdown": "report --offline runs/AKIACANARYID --format markdown",
    "findings": "export --offline runs/AKIACANARYID findings --out findings.csv",
    "card": "export --offline runs/AKIACANARYID model-card --out card.md",
    "rows": "export --offline runs/AKIACANARYID rows-csv --out rows",
    "leaky": "run quick --limit 8 --audit zero_shot --max-error-rate .5 --model py:leaky:build --out leaky",
    "failing": "run quick --limit 8 --audit zero_shot --model py:leaky:failing --out failing",
    "leaky rows": "export leaky rows-csv --out leaky-rows",
    "leaky markdown": "report leaky --format markdown",
    "caller": "run quick --audit retrieval_skew --limit 8 --model py:leaky:caller --out caller",
    "tag": "run quick --model ViT-B-32@laion2b_s34b_b79k --out none",
    "hub": "run quick --model hf-hub:org/canary-model --out none",
    "transformers": "run quick --model transformers:org/name --out none",
    "address": "run quick --model https://me:canary-in-spec@example.org/weights.pt?token=canary-in-query --out none",
    "data": "run quick --model control:null --data mine=s3://AKIACANARYID:canary-in-data@bucket/x --out none",
    "data set": "run disparity --data fairface --model control:null --out none",
}


@dataclass(frozen=True)
class Session:
    """What one process left: its output by command, the exit codes, uses of the network, and the folder."""

    folder: Path
    output: str
    codes: dict[str, int]
    network: str


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("session")
    (folder / "gate.toml").write_text(POLICY)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLIPAUDIT", "HF_"))}
    environment = kept | SECRETS | {
        "CLIPAUDIT_CACHE": str(folder / "cache"), "HF_HOME": str(folder / "hub"), "NO_COLOR": "1", "COLUMNS": "140",
        "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE), "CLIPAUDIT_OFFLINE": "1",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(HERE / "watched.py"), "network.log", *COMMANDS.values()], cwd=folder, env=environment,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    exits = [line.split(": ", 1) for line in done.stdout.splitlines() if line.startswith("exit ")]
    names = {command: name for name, command in COMMANDS.items()}
    codes = {names[command]: int(code.removeprefix("exit ")) for code, command in exits}
    log = folder / "network.log"
    said = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("exit "))
    return Session(folder, said + done.stderr, codes, log.read_text() if log.exists() else "")


def test_every_command_ended_as_it_should(session: Session) -> None:
    assert session.codes["gate"] == 5, "twelve random answers decide nothing"
    fine = ("run", "doctor", "report", "markdown", "findings", "card", "rows", "leaky markdown")
    assert {name: session.codes[name] for name in fine} == dict.fromkeys(fine, 0), session.output
    assert {session.codes[name] for name in ("tag", "hub", "transformers", "address", "data")} == {2}, session.output
    assert "Traceback" not in session.output
    assert "internal error" not in session.output


def test_nothing_looked_for_the_network(session: Session) -> None:
    assert all("example.org" in line for line in session.network.splitlines()), session.network


@pytest.mark.parametrize(
    ("spec", "how"),
    [
        ("ViT-B-32@laion2b_s34b_b79k", "run once online"),
        ("hf-hub:org/canary-model", "hf download org/canary-model"),
        ("transformers:org/name", "hf download org/name"),
    ],
)
def test_a_model_of_the_hub_says_how_to_get_it(spec: str, how: str, session: Session) -> None:
    (line,) = [line for line in session.output.splitlines() if line.startswith(f"error: {spec}")]
    assert "not in the local hub cache" in line
    assert how in line


def test_a_model_that_calls_out_is_refused(session: Session) -> None:
    assert "socket.getaddrinfo ('example.org'" in session.network, "it did try"
    assert "--offline: no connection to 'example.org'" in session.output


def test_no_secret_is_written_or_said(session: Session) -> None:
    where = [(path, path.read_bytes()) for path in session.folder.rglob("*") if path.is_file()]
    looked = {path.name for path, _ in where}
    assert {"manifest.json", "result.json", "report.html", "report.md", "gate.xml", "card.md", "gate.md"} <= looked
    texts = [(str(path), data.decode("utf-8", "replace")) for path, data in where] + [("output", session.output)]
    for name, text in texts:
        found = [canary for canary in CANARIES if canary in text.replace("org/canary-model", "")]
        assert not found, f"{name}: {found}"
    assert "refused ***" in (session.folder / "failing" / "result.json").read_text()
    assert all("401 for ***" in path.read_text() for path in (session.folder / "leaky-rows").iterdir())


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "aws_session_token", "GITHUB-TOKEN", "OPENAI_API_KEY", "PGPASSWORD_SECRET"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["HF_TOKEN_PATH", "KEYBOARD", "TOKENIZERS_PARALLELISM", "SSH_AUTH_SOCK", "PATH"])
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not is_secret(name)


def test_short_values_are_words_not_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SORT_KEY", "label")
    monkeypatch.setenv("LONG_KEY", "a" * 8)
    secrets.cache_clear()
    try:
        assert printable("label " + "a" * 8) == "label ***"
    finally:
        monkeypatch.undo()
        secrets.cache_clear()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("git+https://token@host/x", "git+https://***@host/x"),
        ("--set mine.api_key=abcdefgh", "--set mine.api_key=***"),
        ("max_tokens=77, key=value, label=cat", "max_tokens=77, key=value, label=cat"),
        ("https://x.org/a?sig=abcdefg%3D&se=2026", "https://x.org/a?sig=***&se=2026"),
        ("me@example.org, a://b", "me@example.org, a://b"),
    ],
)
def test_addresses(text: str, kept: str) -> None:
    assert hidden(text) == kept
