"""Small files that stand for much (tables, archives, cards, results) are refused before they are unpacked."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from clipaudit.data.parse import load_card
from clipaudit.data.sources_table import read_table
from clipaudit.engine.store import RunStore
from clipaudit.engine.suite import load_suite
from clipaudit.errors import ClipAuditError, DataError, ModelError, UsageError
from clipaudit.gate.policy import load_policy
from clipaudit.gate.trust import open_run
from clipaudit.models.checkpoint import read_state
from clipaudit.models.load import open_model
from clipaudit.reading import RESULT_BYTES, TEXT_BYTES

CARD = (
    "---\npretty_name: x\nlicense: {licence}\nclipaudit: {{id: mine, consent: things, source: {{kind: folder}}}}\n---\n"
)
DEEP = "[" * 100_000


def refused(said: str, use: object, fault: type[ClipAuditError] = ClipAuditError) -> None:
    with pytest.raises(fault) as caught:
        use()  # type: ignore[operator]
    assert said in str(caught.value)
    assert len(str(caught.value)) < 2000


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Twenty-one million rows in some kilobytes."""
    rows = pa.array(np.zeros(21_000_000, np.int8))
    path = tmp_path / "images.parquet"
    pq.write_table(pa.table({"id": rows, "embedding": rows}), path, compression="zstd")
    assert path.stat().st_size < 400_000
    return path


def test_tables(table: Path, stored_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPAUDIT_CACHE", str(table.parent / "cache"))
    refused("decompression bomb", lambda: read_table(table), DataError)
    assert not (table.parent / "cache").exists(), "nothing was written to the disk"
    (table.parent / "manifest.toml").write_text('name = "m"\nkind = "embeddings"\n')
    refused("decompression bomb", lambda: open_model(f"recorded:{table.parent}", cache_dir=table.parent), ModelError)
    (rows,) = (stored_run / "cells").glob("*/rows.parquet")
    rows.write_bytes(table.read_bytes())
    store = RunStore(stored_run)
    (cell,) = store.result().cells
    refused("decompression bomb", lambda: store.rows(cell.slug, cell.key), UsageError)


def test_archives_of_weights(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1_000_000)}, tmp_path / "plain.pt")
    with (
        zipfile.ZipFile(tmp_path / "plain.pt") as plain,
        zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert (tmp_path / "w.pt").stat().st_size < 20_000
    refused("decompression bomb", lambda: read_state(tmp_path / "w.pt"), ModelError)


def test_aliases_in_a_card(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    path = tmp_path / "card.md"
    path.write_text("---\n" + "\n".join(lines) + "\n" + CARD.format(licence="*a29").removeprefix("---\n"))
    refused("aliases", lambda: load_card(path), DataError)


@pytest.mark.parametrize("licence", ["!!python/object/apply:os.getcwd []", "!!python/name:os.system"])
def test_tags_in_a_card(licence: str, tmp_path: Path) -> None:
    (tmp_path / "card.md").write_text(CARD.format(licence=licence))
    refused("malformed YAML", lambda: load_card(tmp_path / "card.md"), DataError)


@pytest.mark.parametrize(
    "text", [f"x = {DEEP}", "x = " + "9" * 10_000, "#" * (TEXT_BYTES + 1)], ids=["deep", "digits", "long"]
)
@pytest.mark.parametrize("name", ["suite.toml", "gate.toml", "clipaudit.toml"])
def test_toml(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    read = {"suite.toml": lambda path: load_suite(str(path)), "gate.toml": load_policy, "clipaudit.toml": load_card}[
        name
    ]
    refused(name, lambda: read(path))


def test_a_long_line_of_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(",".join(f"c{i % 90_000}" for i in range(100_000)) + "\n")
    refused("two columns are called", lambda: read_table(tmp_path / "t.csv"), DataError)


def test_results(stored_run: Path) -> None:
    store, path = RunStore(stored_run), stored_run / "result.json"
    sound = path.read_text()
    for text in (DEEP, json.dumps({**json.loads(sound), "suite": "x"})[:-1] + f', "y": {DEEP}'):
        path.write_text(text)
        refused("result.json", store.result, UsageError)
        refused("result.json", lambda: open_run(stored_run), UsageError)
    with path.open("wb") as file:
        file.truncate(RESULT_BYTES + 1)
    refused("too long", store.result, UsageError)
