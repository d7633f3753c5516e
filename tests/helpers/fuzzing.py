"""Files of every format that is read here, damaged at random: `TARGETS`, by name.

A target has sound files to start from, pieces to put into them, and what reads the result. Whatever comes of it, the
reader either gives something or raises a ClipAuditError of one line.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from clipaudit.errors import ClipAuditError

_COMMON = (
    b"", b"\0", b"\xff\xfe", b"\n", b"\r\n", b"\x1b]8;;x\x07", b"\xe2\x80\xae", b"-1", b"1e999", b"nan", b"9" * 5000,
    b"null", b"true", b"..", b"/", b'"', b"'", b"::error::x", "é".encode(), b" " * 100, b"0x1", b"-0.0", b"1979-05-27",
)  # fmt: skip
_MARKUP = (b"[", b"]", b"{", b"}", b"=", b":", b",", b"[" * 3000, b'{"a":' * 3000, b"a = 1\n", b"[[rule]]\n", b"- ", b"&a ", b"*a", b"!!python/object:os.system ", b"---\n", b"? ", b"|\n", b"<<: ")  # fmt: skip
_BINARY = (b"\xff" * 8, b"\0" * 16, b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\0\0\0\0\x80", b"PAR1", b"PK\x03\x04", b"\x80\x04\x95")  # fmt: skip
_TABLE = (b",", b"\t", b'"', b'""', b"\n\n", b"a,b,c\n", b"id,text,score\n", b";", b"=cmd|' /C calc'!A0")


@dataclass(frozen=True)
class Target:
    """seeds: sound contents. name: of the file. read: takes the file. pieces: put into it."""

    seeds: Callable[[], Sequence[bytes]]
    name: str
    read: Callable[[Path], object]
    pieces: Sequence[bytes] = _COMMON

    def contents(self) -> st.SearchStrategy[bytes]:
        """Damaged contents: pieces put in, cut out, exchanged, doubled; and, for JSON, values exchanged."""
        change = st.tuples(
            st.sampled_from(["insert", "cut", "replace", "double", "flip", "end", "value"]),
            st.floats(0, 1), st.integers(0, 40), st.sampled_from(self.pieces), st.integers(0, 255),
        )  # fmt: skip
        seeds = cache(self.seeds)
        return st.builds(
            lambda which, changes: _changed(seeds()[which % len(seeds())], changes),
            st.integers(0, 7), st.lists(change, min_size=1, max_size=4),
        )  # fmt: skip

    def survives(self, data: bytes, folder: Path) -> None:
        """AssertionError where reading `data` ends in anything but something, or one line."""
        path = folder / self.name
        path.write_bytes(data)
        try:
            self.read(path)
        except ClipAuditError as error:
            said = str(error)
            assert said.isprintable() or "\u200d" in said or "\u200c" in said, said
            assert len(said.splitlines()) <= 1, said
            assert len(said) <= 4000, len(said)


def _changed(data: bytes, changes: Sequence[tuple[str, float, int, bytes, int]]) -> bytes:
    for kind, where, length, piece, number in changes:
        at = int(where * len(data))
        if kind == "value":
            data = _exchanged(data, at, number)
        elif kind == "insert":
            data = data[:at] + piece + data[at:]
        elif kind == "cut":
            data = data[:at] + data[at + length :]
        elif kind == "replace":
            data = data[:at] + piece + data[at + max(len(piece), length) :]
        elif kind == "double":
            data = data[: at + length] + data[at:]
        elif kind == "flip":
            data = data[:at] + bytes([number]) + data[at + 1 :]
        else:
            data = data[:at]
    return data


_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 2**70, 1e308, "", "x", "\x1b[31m", "../../x", [], {}, [None], {"a": 1}, [[[]]], "a" * 3000, "é\u202e",
)  # fmt: skip


def _exchanged(data: bytes, at: int, number: int) -> bytes:
    """JSON with one of its values, the one that `at` leads to, exchanged."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return data
    places: list[tuple[Any, Any]] = []
    stack: list[Any] = [content]
    while stack:
        part = stack.pop()
        keys = part.keys() if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
        places += [(part, key) for key in keys]
        stack += [part[key] for key in keys]
    if not places:
        return data
    holder, key = places[at % len(places)]
    holder[key] = _VALUES[number % len(_VALUES)]
    return json.dumps(content).encode()


# --- what reads --------------------------------------------------------------------------------------------------------


def _lint(path: Path) -> object:
    from clipaudit.lint import lint

    return lint(path)


def _place(path: Path) -> object:
    """A card where the user points: with what its source opens, unless that takes `datasets`, which is slow."""
    from clipaudit.data.card import TableSource
    from clipaudit.data.registry import DataRegistry, parse_data_option

    data_id, place = parse_data_option(str(path))
    registry = DataRegistry({data_id: place}, offline=True)
    reach = registry.reach(data_id)
    kinds = {type(source) for source in registry.card(data_id).source}
    return reach if TableSource in kinds or reach else registry.open(data_id)


def _policy(path: Path) -> object:
    from clipaudit.gate.judge import judge
    from clipaudit.gate.policy import load_policy

    run = _sound_run(path.parent)
    return judge(run, load_policy(path), run, profile="release")


@cache
def _sound_run(folder: Path) -> Path:
    from gate_runs import accuracy, answers, cell, write_run

    right = [i % 5 > 0 for i in range(40)]
    one = cell([accuracy(right)])
    return write_run(folder / "sound", [one], {one.slug: answers(right)})


def _run(path: Path) -> object:
    """A result, a manifest or a gate's result that somebody else wrote: gated, compared, exported."""
    import shutil

    from clipaudit import plugins
    from clipaudit.compare.compare import compare
    from clipaudit.engine.rows import export_rows
    from clipaudit.engine.store import RunStore
    from clipaudit.gate.files import read_gate
    from clipaudit.gate.judge import judge
    from clipaudit.gate.policy import parse_policy

    sound, run = _sound_run(path.parent), path.parent / "run"
    if not run.exists():
        shutil.copytree(sound, run)
    for name in ("result.json", "manifest.json"):
        shutil.copyfile(sound / name, run / name)
    shutil.copyfile(path, run / path.name)
    for use in (
        lambda: judge(run, parse_policy(_POLICY, "policy"), None, profile="release"),
        lambda: compare(sound, [run]),
        lambda: export_rows(RunStore(run), path.parent / "rows", "csv"),
        lambda: RunStore(run).thumbnails(RunStore(run).result()),
        lambda: plugins.load_export("findings-csv")(RunStore(run).result(), read_gate(run)),
        lambda: plugins.load_export("model-card")(RunStore(run).result(), read_gate(run)),
    ):
        _one_line(use)
    return RunStore(run).result(), RunStore(run).manifest()


def _one_line(use: Callable[[], object]) -> None:
    fault: ClipAuditError | None = None
    try:
        use()
    except ClipAuditError as error:
        fault = error
    assert len(str(fault).splitlines()) == 1, fault


_POLICY = '[[rule]]\nid = "works"\nkind = "absolute"\naudit = "zero_shot"\nmetric = "accuracy"\nmin = 0.1\n'


def _report(path: Path) -> object:
    from clipaudit import plugins
    from clipaudit.engine.store import RunStore

    (path.parent / "one").mkdir(exist_ok=True)
    (path.parent / "one" / "result.json").write_bytes(path.read_bytes())
    result = RunStore(path.parent / "one").result()
    return [plugins.load_report(form)(result, None, {}, None) for form in ("markdown",)]


class _Item:
    """An item by its id."""

    attributes: Mapping[str, str] = {}

    def __init__(self, id: str) -> None:
        self.id = id
        self.digest = "0" * 64


def _recorded(path: Path) -> object:
    """All that can be asked of what was recorded, each an answer or one line."""
    from clipaudit.models.recorded import load_recorded

    model: Any = load_recorded(path.parent)
    images: Any = [_Item("a"), _Item("b")]
    for use in (
        lambda: model.embed_images(images),
        lambda: model.embed_texts(["cat"]),
        lambda: model.score_labels(images, ["cat", "dog"], ["{}"]),
        lambda: hasattr(model, "score_known") and model.score_known(images, ["cat", "dog"], ["{}"]),
    ):
        _one_line(use)
    return model


def _beside(name: str, content: str, read: Callable[[Path], object]) -> Callable[[Path], object]:
    """`read` with another file beside the one that is damaged."""

    def reading(path: Path) -> object:
        (path.parent / name).write_text(content)
        return read(path)

    return reading


_EMBEDDINGS = 'name = "m"\nkind = "embeddings"\n'
_SCORES = 'name = "m"\nkind = "scores"\nscore_kind = "{}"\n'


def _control(path: Path) -> object:
    from clipaudit.models.control import open_control

    return open_control(path.read_bytes().decode("utf-8", "replace"))


def _spec(path: Path) -> object:
    from clipaudit.models.load import load_encoder, parse_spec

    spec = path.read_bytes().decode("utf-8", "replace")
    scheme, _ = parse_spec(spec)
    return scheme in ("py", "reference") or load_encoder(spec, offline=True)


def _image(path: Path) -> object:
    from clipaudit.data.decode import decode

    return decode(path.read_bytes(), path.name)


def _shard(path: Path) -> object:
    import numpy as np

    from clipaudit.embedding.cache import EmbeddingCache
    from clipaudit.embedding.shards import as_keys

    cache = EmbeddingCache(path.parent)
    store = cache.store("model", "image")
    store._folder.mkdir(parents=True, exist_ok=True)
    for old in store._folder.iterdir():
        old.unlink()
    (store._folder / path.name).write_bytes(path.read_bytes())
    vectors, found = store.get(as_keys(["0", "1"]))
    assert vectors.shape[0] == 2
    assert not found.any() or np.isfinite(vectors[found]).all()
    cache.close()
    return found


def _weights(path: Path) -> object:
    from clipaudit.models.checkpoint import read_state

    return read_state(path)


def _open_clip(path: Path) -> object:
    from clipaudit.models.openclip_source import from_folder

    (path.parent / "open_clip_model.safetensors").touch()
    return from_folder(str(path.parent))


def _table(path: Path) -> object:
    from clipaudit.data.rows import row_items
    from clipaudit.data.sources_table import read_table

    items = row_items(read_table(path), name="t", image=None, id=None, rename={}, root=None)
    return [item.attributes for item in items]


def _reader(module: str, function: str) -> Callable[[Path], object]:
    """A reader of a data card, on the folder; its images are looked at."""

    def reading(path: Path) -> object:
        from importlib import import_module

        read = getattr(import_module(f"clipaudit_data_cards.readers.{module}"), function)
        items = read(path.parent)
        for item in items:
            _one_line(lambda item=item: item.digest)
        return items

    return reading


def _ieat(path: Path) -> object:
    from clipaudit.models.recorded import load_recorded

    model: Any = load_recorded(path.parent)
    _one_line(lambda: model.embed_images([_Item("age/old/om2.jpg")]))
    return model


def _words(module: str, function: str, *more: object) -> Callable[[Path], object]:
    """A file that a parameter of an audit names."""

    def reading(path: Path) -> object:
        from importlib import import_module

        return getattr(import_module(f"clipaudit_audits.{module}"), function)(str(path), *more)

    return reading


# --- sound files -------------------------------------------------------------------------------------------------------


def _parquet(**columns: Any) -> Callable[[], list[bytes]]:
    def make() -> list[bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        found = []
        for compression in ("none", "zstd"):
            out = io.BytesIO()
            pq.write_table(pa.table(columns), out, compression=compression)
            found.append(out.getvalue())
        return found

    return make


def _pictures() -> list[bytes]:
    from PIL import Image

    found = []
    for form, mode in (
        ("PNG", "RGBA"),
        ("JPEG", "RGB"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("TIFF", "RGB"),
        ("BMP", "RGB"),
        ("PNG", "I;16"),
        ("TGA", "RGB"),
    ):
        out = io.BytesIO()
        Image.new(mode, (9, 7), 5 if mode in ("P", "I;16") else (1, 2, 3)).save(out, form)
        found.append(out.getvalue())
    return found


def _shards() -> list[bytes]:
    import tempfile

    import numpy as np

    from clipaudit.embedding.shards import as_keys, write

    with tempfile.TemporaryDirectory() as folder:
        return [write(Path(folder), as_keys(["0", "1"]), np.eye(2, 3, dtype=np.float32)).read_bytes()]


def _states() -> list[bytes]:
    import torch
    from safetensors.torch import save

    state = {"a.weight": torch.ones(2, 3), "b": torch.zeros(4)}
    out, old = io.BytesIO(), io.BytesIO()
    torch.save(state, out)
    torch.save({"state_dict": state}, old, _use_new_zipfile_serialization=False)
    return [save(state), out.getvalue(), old.getvalue()]


def _stored(name: str) -> Callable[[], list[bytes]]:
    def make() -> list[bytes]:
        import tempfile

        return [(_sound_run.__wrapped__(Path(tempfile.mkdtemp())) / name).read_bytes()]

    return make


def _presets() -> list[bytes]:
    from importlib.resources import files

    folder = files("clipaudit_audits.social_bias") / "association_presets"
    return [one.read_bytes() for one in folder.iterdir() if one.name.startswith("weat")]


def _texts(*texts: str) -> Callable[[], list[bytes]]:
    return lambda: [text.encode() for text in texts]


_SUITE = 'id = "s"\ntitle = "t"\ninclude = ["demo"]\n\n[[audits]]\nid = "zero_shot"\ndata = "objects"\nparams = { templates = ["a photo of a {}."] }\n\n[[audits]]\nid = "association"\nparams = { preset = "weat" }\n'
_RULES = 'title = "t"\nalpha = 0.05\n\n[[rule]]\nid = "works"\nkind = "absolute"\naudit = "zero_shot"\nmetric = "accuracy"\nmin = 0.1\nsubgroup = "overall"\n\n[[rule]]\nid = "b"\nkind = "change"\naudit = "zero_shot"\nmetric = "accuracy"\nmargin = 0.1\n\n[[waiver]]\nrule = "works"\nmodel = "0123456789ab"\nreason = "r"\nowner = "o"\nexpires = 2030-01-01\n'
_CARD = '---\npretty_name: Mine\nlicense: [cc0-1.0, other]\ntags: [a]\nclipaudit:\n  id: mine\n  consent: things only\n  source:\n    - {kind: folder, pattern: "{label}/{file}", path: images, resources: {a: "*.csv"}}\n    - {kind: table, path: t.csv, id: id, image: "images/{id}.png", rename: {a: b}}\n    - {kind: hub, repo: a/b, revision: "0123456789012345678901234567890123456789", split: test}\n    - {kind: builtin, generator: objects, options: {n: 2}}\n  columns: {label: what}\n  groups: [label]\n  cluster: id\n  limits: [none]\n---\nText.\n'
_SHORT = 'id = "mine"\ntitle = "Mine"\nlicence = "CC0"\nconsent = "things"\nimages = "{label}/{file}"\nfolder = "."\ngroups = ["label"]\ncluster = "id"\nlimits = ["a"]\n[columns]\nlabel = "what"\n'
_MANIFEST = 'name = "m"\nkind = "scores"\nscore kind = "cosine"\nlogit-scale = 100.0\nimage_size = 224\nlicense = "MIT"\nwarnings = ["w"]\n'
_LONG = "id,text,score\na,cat,0.5\na,dog,0.1\nb,cat,0.2\nb,dog,0.3\n"
_PAIRS = "image_id,label,attack_word,object_similarities,attack_similarities\na,cat,dog,0.5,0.1\nb,dog,cat,0.4,0.2\n"
_WIDE = "id,cat,dog\na,0.5,0.1\nb,0.2,0.3\n"
_TRIALS = "subj,session,trial,object_response,category,imagename\nm,1,1,cat,cat,0001_s_a\nm,1,2,dog,cat,0002_s_b\n"
_IEAT = ",0,1,img\n0,0.5,0.25,om2.jpg\n1,0.1,0.2,om3.jpg\n"
_LEXICON = 'title = "t"\n[[categories]]\nname = "a"\ntitle = "b"\nwords = ["a nurse", "a pilot"]\n'
_POLES = 'title = "t"\n[[categories]]\nname = "a"\ntitle = "b"\nplus = ["kind", "good"]\nminus = ["bad", "cruel"]\n'
_OPEN_CLIP = '{"model_cfg": {"embed_dim": 16, "vision_cfg": {"image_size": 32, "layers": 1}, "text_cfg": {"hf_model_name": ".", "context_length": 7}}, "preprocess_cfg": {"mean": [0.5]}}'
_SPECS = (
    "ViT-B-32@laion2b_s34b_b79k",
    "local-dir:x",
    "transformers:org/name",
    "recorded:dir",
    "control:null?seed=1",
    "hf-hub:a/b",
    "RN50@x.pt",
)
_CONTROLS = (
    "null?dim=8&seed=1", "classifier?accuracy=0.5", "reader?weight=.5", "shape?q=.5", "linear?dim=8&side=8",
    "association?d=1&x=a&y=b&a=c&b=d", "preferring?attribute=race&level=a&words=b&rate=.2", "prototypes?labels=a,b",
)  # fmt: skip

TARGETS: dict[str, Target] = {
    "suite": Target(_texts(_SUITE), "s.toml", _lint, (*_COMMON, *_MARKUP)),
    "policy": Target(_texts(_RULES), "p.toml", _policy, (*_COMMON, *_MARKUP)),
    "card": Target(_texts(_CARD), "card.md", _place, (*_COMMON, *_MARKUP)),
    "short-card": Target(_texts(_SHORT), "clipaudit.toml", _place, (*_COMMON, *_MARKUP)),
    "manifest": Target(_texts(_MANIFEST), "manifest.toml", _beside("scores.csv", _LONG, _recorded), (*_COMMON, *_MARKUP)),
    "scores": Target(_texts(_LONG, _PAIRS, _WIDE), "scores.csv", _beside("manifest.toml", _SCORES.format("cosine"), _recorded), (*_COMMON, *_TABLE)),
    "decisions": Target(_texts(_TRIALS, _LONG, "id,text\na,cat\nb,dog\n"), "scores.csv", _beside("manifest.toml", _SCORES.format("decision"), _recorded), (*_COMMON, *_TABLE)),
    "score-parquet": Target(_parquet(id=["a", "b"], text=["cat", "cat"], score=[0.5, 0.1]), "scores.parquet", _beside("manifest.toml", _SCORES.format("logit"), _recorded), _BINARY),
    "image-parquet": Target(_parquet(id=["a", "b"], embedding=[[1.0, 0.0], [0.0, 1.0]], length=[1.0, 2.0], error=[None, "x"]), "images.parquet", _beside("manifest.toml", _EMBEDDINGS, _recorded), _BINARY),
    "ieat": Target(_texts(_IEAT), "age_old_igpt.csv", _ieat, (*_COMMON, *_TABLE)),
    "result": Target(_stored("result.json"), "result.json", _run, (*_COMMON, *_MARKUP)),
    "run-manifest": Target(_stored("manifest.json"), "manifest.json", _run, (*_COMMON, *_MARKUP)),
    "report": Target(_stored("result.json"), "report-of.json", _report, (*_COMMON, *_MARKUP)),
    "control": Target(_texts(*_CONTROLS), "spec", _control, (*_COMMON, b"&", b"=", b"?", b"%", b"%00", b"inf")),
    "spec": Target(_texts(*_SPECS), "spec", _spec, (*_COMMON, b"@", b":", b"py:", b"hf-hub:", b"local-dir:")),
    "image": Target(_pictures, "i.png", _image, _BINARY),
    "shard": Target(_shards, "s.safetensors", _shard, (*_BINARY, *_MARKUP[:7])),
    "weights": Target(_states, "w.pt", _weights, _BINARY),
    "open-clip": Target(_texts(_OPEN_CLIP), "open_clip_config.json", _open_clip, (*_COMMON, *_MARKUP)),
    "table": Target(_texts("id,label,path\na,cat,x.png\nb,dog,y.png\n"), "t.csv", _table, (*_COMMON, *_TABLE)),
    "table-parquet": Target(_parquet(id=["a", "b"], label=["cat", "dog"]), "t.parquet", _table, _BINARY),
    "scam": Target(_texts('{"file_name": "a.png", "label": "cat", "written": "dog"}\n{"file_name": "b.png"}\n'), "metadata.jsonl", _reader("scam", "read_folder"), (*_COMMON, *_MARKUP)),
    "sugar-crepe": Target(_texts('{"0": {"filename": "a.jpg", "caption": "c", "negative_caption": "n"}}'), "add_att.json", _reader("sugar_crepe", "read_pairs"), (*_COMMON, *_MARKUP)),
    "winoground": Target(_texts('{"id": 0, "image_0": "a", "image_1": "b", "caption_0": "c", "caption_1": "d", "tag": "t"}\n'), "examples.jsonl", _reader("winoground", "read_examples"), (*_COMMON, *_MARKUP)),
    "association": Target(_presets, "t.toml", _words("social_bias.association_tests", "load_tests", None), (*_COMMON, *_MARKUP)),
    "lexicon": Target(_texts(_LEXICON), "l.toml", _words("social_bias.lexicon_words", "load_words"), (*_COMMON, *_MARKUP)),
    "counterfactual": Target(_texts(_POLES), "l.toml", _words("social_bias.counterfactual_lexicon", "load_lexicon"), (*_COMMON, *_MARKUP)),
    "shares": Target(_texts("occupation\twomen\nnurse\t0.9\nwelder\t0.1\n"), "s.tsv", _words("social_bias.occupation_params", "read_shares"), (*_COMMON, *_TABLE)),
    "prompts": Target(_texts("template,concept\na {},nurse\nthe {},pilot\n"), "p.csv", _words("social_bias.retrieval_skew_params", "read_prompts"), (*_COMMON, *_TABLE)),
    "corruptions": Target(_texts('model = "m"\ndata = "d"\nimages = 9\nclean = 0.5\n[errors]\nfog = [0.1, 0.2, 0.3, 0.4, 0.5]\n'), "c.toml", _words("robustness.corruptions_reference", "load_reference", "d"), (*_COMMON, *_MARKUP)),
    "observers": Target(_texts(_TRIALS, "observer,item,response\no,a,cat\n"), "o.csv", _words("meaning.error_consistency_observers", "read_observers"), (*_COMMON, *_TABLE)),
}  # fmt: skip
