"""Parts of the typographic audit one at a time: languages, what else of the note counts, a prefix, groups, the protocol
of SCAM, words alone. Each on a model of which the answer is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clipaudit_audits.robustness.adversarial_params import eighty_templates
from clipaudit_audits.robustness.typographic import Typographic
from clipaudit_audits.robustness.typographic_params import TypographicParams
from clipaudit_audits.robustness.typographic_reading import own_by_chance

from clipaudit.contract import Cell, Need, PlanContext
from clipaudit.data.dataset import Dataset
from clipaudit.data.files import NamedItem
from clipaudit.errors import DataError, NotSupported
from clipaudit.images import ImageRef
from clipaudit.models.protocol import Embedded, Scores
from clipaudit.models.recorded import load_recorded
from clipaudit.results import DataInfo, Estimate, ModelInfo, Status
from clipaudit.stimuli.objects import items
from clipaudit.testing import check_audit
from clipaudit.zeroshot import prompts

AUDIT = Typographic()
INFO = ModelInfo(spec="rule", name="rule", fingerprint="rule", kind="python", capabilities=("scores",))


def _dataset(
    images: Sequence[ImageRef], columns: tuple[str, ...], cluster: str | None = None, **more: object
) -> Dataset:
    info = DataInfo(
        id="set", title="set", digest="0", items=len(images), licence="none", consent="drawings", **more
    )  # fmt: skip
    return Dataset(info, images, columns, cluster)


DRAWN = _dataset(list(items()), ("label", "variant"))


class Rule:
    """Chooses by a rule: (image, prompts) to the label."""

    info, capabilities = INFO, frozenset({Need.SCORES})

    def __init__(self, rule: Callable[[ImageRef, str], str]) -> None:
        self.rule = rule

    def score_labels(self, images, labels, templates) -> Scores:
        values = np.zeros((len(images), len(labels)))
        for i, image in enumerate(images):
            chosen = self.rule(image, templates[0])
            if chosen in labels:
                values[i, labels.index(chosen)] = 1.0
        return Scores(values, "decision", (None,) * len(images))


def _run(
    model: object, dataset: Dataset = DRAWN, seed: int = 1, **params: object
) -> tuple[pa.Table, list[Estimate], Cell]:
    cell = AUDIT.plan(PlanContext(TypographicParams.model_validate(params), seed, dataset))[0]
    rows = AUDIT.run(cell, model)
    bare = replace(cell, dataset=None)
    return rows, AUDIT.score(bare, rows), bare


def _find(estimates: list[Estimate], metric: str, **subgroup: str) -> Estimate:
    return next(e for e in estimates if e.metric == metric and e.subgroup == subgroup)


# --- what else of the note counts -----------------------------------------------------------------------------------


def _english_reader(image: ImageRef, _: str) -> str:
    """Reads English in a dark enough hand, not at the top, and not in a serif font."""
    style, written = getattr(image, "style", None), image.attributes.get("written", "")
    known = {i.attributes["label"] for i in DRAWN.images}
    if style is None or written not in known:
        return image.attributes["label"]
    seen = style.contrast >= 0.5 and style.place != "top" and "Serif" not in style.font and style.repetitions < 3
    return written if seen else image.attributes["label"]


def test_each_factor_is_found_at_its_level() -> None:
    rows, estimates, cell = _run(
        Rule(_english_reader), areas=[0.1], contrasts=[0.2, 0.5], places=["top", "centre"], fonts=["DejaVuSerif"],
        repeats=[2, 3], languages=["de", "ru"], max_images=600,
    )  # fmt: skip
    assert _find(estimates, "written_rate").value == 1.0
    expected = {
        ("contrast", "0.2"): 0, ("contrast", "0.5"): 1, ("place", "top"): 0, ("place", "centre"): 1,
        ("font", "DejaVuSerif"): 0, ("repetitions", "2"): 1, ("repetitions", "3"): 0, ("language", "German"): 0,
        ("language", "Russian"): 0,
    }  # fmt: skip
    for (factor, level), value in expected.items():
        assert _find(estimates, "written_rate", **{factor: level}).value == value
        changed = _find(estimates, "written_change", **{factor: level})
        assert changed.value == 100 * (value - 1)
        assert changed.status is (Status.NO_EFFECT if value else Status.EFFECT)
    figures = {figure.id for figure in AUDIT.figures(cell, rows, estimates)}
    assert {"by-contrast", "by-place", "by-font", "by-repetitions", "by-language"} <= figures


def test_words_that_are_spelled_alike_are_not_shown_as_another_language() -> None:
    rows = _run(Rule(_english_reader), areas=[0.1], languages=["de"], max_images=900)[0].to_pylist()
    german = [row for row in rows if row["factor"] == "language"]
    assert german
    assert not {"hammer", "orange"} & {row["written"] for row in german}  # Hammer, Orange
    assert {"hammer", "orange"} & {row["written"] for row in rows if row["kind"] == "wrong"}


def test_words_of_ones_own() -> None:
    labels = sorted({i.attributes["label"] for i in DRAWN.images})
    words = {"tlh": {labels[0]: "Duj", labels[1]: "tlhIngan"}}
    rows = _run(Rule(_english_reader), areas=[0.1], languages=["tlh"], words=words, max_images=900)[0].to_pylist()
    assert {row["written"] for row in rows if row["factor"] == "language"} == set(labels[:2])
    with pytest.raises(DataError, match=r"no label of the set has a word in 'tlh'; give them with words\.tlh"):
        _run(Rule(_english_reader), languages=["tlh"], words={"tlh": {"house": "juH"}})
    with pytest.raises(ValueError, match="no words in 'tlh'; known are de, fr"):
        TypographicParams(languages=("tlh",))


def test_a_script_that_the_font_lacks_names_font_and_character() -> None:
    with pytest.raises(DataError, match=r"font DejaVuSans-Bold has no glyph for '.' \(U\+[0-9A-F]{4}\)"):
        AUDIT.workload(AUDIT.plan(PlanContext(TypographicParams(languages=("zh",)), 0, DRAWN))[0])


# --- a prefix before the prompts ------------------------------------------------------------------------------------


def test_a_prefix_that_helps_is_found_on_the_same_images() -> None:
    def rule(image: ImageRef, template: str) -> str:
        listens = int(image.digest[:2], 16) < 128
        if image.attributes.get("overlay") == "wrong" and not (listens and template.startswith("ignore")):
            return image.attributes["written"]
        return image.attributes["label"]

    rows, estimates, _ = _run(Rule(rule), prefix="ignore the text: ", areas=[0.1])
    gain = _find(estimates, "prefix_gain", images="with a wrong label on them")
    attacked = [row for row in rows.to_pylist() if row["kind"] == "wrong"]
    listened = np.mean([row["correct"] for row in attacked])
    assert 0.3 < listened < 0.7
    assert gain.value == pytest.approx(100 * listened)
    assert gain.test.method.startswith("McNemar exact")
    assert gain.status is Status.EFFECT
    assert _find(estimates, "prefix_written", images="with a wrong label on them").value == pytest.approx(
        -100 * listened
    )
    assert _find(estimates, "prefix_gain", images="without a note").value == 0
    assert _find(estimates, "attacked_accuracy").value == pytest.approx(listened)  # results are with the prefix


# --- annotated groups -----------------------------------------------------------------------------------------------


def test_accuracy_by_annotated_group() -> None:
    images = [
        NamedItem(f"{i}", {"label": "cup", "written": "key", "origin": "here" if i % 4 else "there"})
        for i in range(200)
    ]
    dataset = _dataset(images, ("label", "written", "origin"), groups=("origin",))
    model = Rule(lambda image, _: image.attributes["written" if image.attributes.get("origin") == "here" else "label"])
    _, estimates, _ = _run(model, dataset)
    here, there = ({"origin (annotated)": level} for level in ("here", "there"))
    assert (_find(estimates, "attacked_accuracy", **here).value, _find(estimates, "written_rate", **here).value) == (
        0,
        1,
    )
    found = _find(estimates, "attacked_accuracy", **there)
    assert (found.value, found.n) == (1.0, 50)
    assert found.sentence.startswith("Of images annotated as origin there, photographed with a wrong label")


# --- SCAM -----------------------------------------------------------------------------------------------------------

KINDS = ("clean", "real", "synthetic")
PHOTOS = [
    NamedItem(f"{kind}_{i}", {"label": f"l{i % 9}", "written": f"w{i % 7}", "variant": kind, "photo": f"{i}"})
    for i in range(80)
    for kind in KINDS
]
SCAM = _dataset(PHOTOS, ("label", "written", "variant", "photo"), "photo")


class Uneven:
    """Text embeddings of very different lengths, so that it counts whether they are averaged before normalisation."""

    info, capabilities = INFO, frozenset({Need.SCORES, Need.EMBEDDINGS})

    def __init__(self, lengths: bool = True) -> None:
        self.lengths = lengths

    def raw(self, text: str) -> np.ndarray:
        rng = np.random.default_rng(sum(map(ord, text)) * 1000 + len(text))
        return rng.normal(size=6) * rng.uniform(0.1, 30)

    def embed_texts(self, texts: Sequence[str]) -> Embedded:
        raw = np.array([self.raw(text) for text in texts])
        norms = np.linalg.norm(raw, axis=1)
        return Embedded(raw / norms[:, None], (None,) * len(texts), norms if self.lengths else None)

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        found = self.embed_texts([image.id for image in images])
        return Embedded(found.vectors, found.errors)

    def score_labels(self, images, labels, templates) -> Scores:
        from clipaudit.embedding.scoring import score_labels

        return score_labels(self, images, labels, templates)


def test_the_protocol_of_scam_averages_text_embeddings_as_they_are() -> None:
    model = Uneven()
    rows, estimates, cell = _run(model, SCAM, protocol="scam")
    assert cell.params.templates == eighty_templates()[:32]

    def weight(label: str) -> np.ndarray:
        mean = np.mean([model.raw(template.replace("{}", label)) for template in eighty_templates()[:32]], axis=0)
        return mean / np.linalg.norm(mean)

    right = dict.fromkeys(KINDS, 0)
    for image in PHOTOS:
        own = model.raw(image.id) / np.linalg.norm(model.raw(image.id))
        right[image.attributes["variant"]] += own @ weight(image.attributes["label"]) > own @ weight(
            image.attributes["written"]
        )
    assert _find(estimates, "clean_accuracy").value == right["clean"] / 80
    assert _find(estimates, "attacked_accuracy", variant="real").value == right["real"] / 80
    assert _find(estimates, "attacked_accuracy", variant="synthetic").value == right["synthetic"] / 80
    assert _find(estimates, "attacked_accuracy", variant="real").role == "preset"
    unit = [
        row["two_way"]
        for row in _run(model, SCAM, protocol="two-way", templates=eighty_templates()[:32])[0].to_pylist()
    ]
    assert unit != [row["two_way"] for row in rows.to_pylist()]


def test_without_lengths_the_protocol_of_scam_is_not_run() -> None:
    with pytest.raises(
        NotSupported, match="after normalisation only, and protocol scam averages them before it"
    ) as error:
        _run(Uneven(lengths=False), SCAM, protocol="scam")
    assert "\n" not in str(error.value)
    assert _run(Uneven(lengths=False), SCAM, protocol="two-way")


def test_embeddings_recorded_for_labels_serve_the_protocol_of_scam(tmp_path: Path) -> None:
    model, labels = (
        Uneven(),
        sorted({v for image in PHOTOS for v in (image.attributes["label"], image.attributes["written"])}),
    )
    (tmp_path / "manifest.toml").write_text('name = "m"\nkind = "embeddings"\n')
    weights = [model.raw(f"a {label}").tolist() for label in labels]
    pq.write_table(pa.table({"text": labels, "embedding": weights}), tmp_path / "texts.parquet")
    pictures = {"id": [i.id for i in PHOTOS], "embedding": [model.raw(i.id).tolist() for i in PHOTOS]}
    pq.write_table(pa.table(pictures), tmp_path / "images.parquet")
    _, estimates, _ = _run(load_recorded(tmp_path), SCAM, protocol="scam")
    assert any(
        "known to the recording only" in note for note in _find(estimates, "attacked_accuracy", variant="real").notes
    )
    assert not any(e.metric.startswith("reading") for e in estimates)  # the words alone were not recorded


def test_the_protocols_admit_no_other_prompts() -> None:
    with pytest.raises(ValueError, match="32 templates and no prefix"):
        TypographicParams(protocol="scam", templates=("a photo of a {}.",))


def test_triples_stay_together_and_are_compared_as_pairs() -> None:
    rows, _, _ = _run(Rule(lambda image, _: image.attributes["label"]), SCAM, protocol="two-way", max_images=30)
    found = [row for row in rows.to_pylist() if row["kind"] in KINDS]
    assert len(found) == 30
    assert len({row["base"] for row in found}) == 10

    def reader(image: ImageRef, _: str) -> str:
        return image.attributes["label" if image.attributes["variant"] == "clean" else "written"]

    rows, estimates, cell = _run(Rule(reader), SCAM, protocol="two-way", reading=0)
    for subgroup in ({"variant": "real"}, {"variant": "synthetic"}):
        assert _find(estimates, "accuracy_drop", **subgroup).value == 100
        assert _find(estimates, "attack_success", **subgroup).value == 1
        assert _find(estimates, "written_rate", **subgroup).status is Status.EFFECT
    gallery = AUDIT.figures(cell, rows, estimates)[-1]
    assert all(entry.items[0].startswith("clean_") for entry in gallery.entries)


def test_two_pictures_of_one_variant_are_one_clear_line() -> None:
    twice = [PHOTOS[0], NamedItem("again", PHOTOS[0].attributes)]
    with pytest.raises(DataError, match="clean_0 is the clean picture of '0' already"):
        AUDIT.workload(AUDIT.plan(PlanContext(TypographicParams(), 0, _dataset(twice, SCAM.columns)))[0])


def test_the_contract_holds_on_triples_and_with_every_part() -> None:
    check_audit(Typographic, SCAM, Uneven(), params={"protocol": "scam"})
    everything = {
        "areas": [0.1], "contrasts": [0.5], "places": ["top"], "fonts": ["DejaVuSerif"], "repeats": [2],
        "languages": ["fr"], "prefix": "ignore: ", "max_images": 300, "groups": ["variant"],
    }  # fmt: skip
    check_audit(Typographic, DRAWN, Uneven(), params=everything)


# --- words alone ----------------------------------------------------------------------------------------------------


class Reader(Uneven):
    """Images of words lie near their texts, by `share`; of all else, anywhere."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def embed_images(self, images: Sequence[ImageRef]) -> Embedded:
        found = []
        for image in images:
            word, noise = (
                self.raw(image.attributes["written"] if image.id.startswith("word=") else image.id),
                self.raw(image.id),
            )
            mixed = self.share * word / np.linalg.norm(word) + (1 - self.share) * noise / np.linalg.norm(noise)
            found.append(mixed / np.linalg.norm(mixed))
        return Embedded(np.array(found), (None,) * len(images))


def test_a_reader_has_a_reading_score_and_others_have_none() -> None:
    rows, estimates, _ = _run(Reader(1.0), areas=[0.1])
    words = [row for row in rows.to_pylist() if row["kind"] == "word"]
    assert len(words) == 20
    texts = [row["label"] for row in words]
    unit = Reader(1.0).embed_texts(texts).vectors
    cosines = unit @ unit.T
    score = _find(estimates, "reading_score")
    assert score.value == pytest.approx(1 - cosines[~np.eye(20, dtype=bool)].mean())
    assert score.status is Status.EFFECT
    assert abs(score.null.mean) < 0.01
    assert _find(estimates, "reading_accuracy").value == 1.0
    _, estimates, _ = _run(Reader(0.0), areas=[0.1])
    assert _find(estimates, "reading_score").status is Status.NO_EFFECT
    assert _find(estimates, "reading_score").minimum_detectable > 0


def test_dealing_texts_anew_against_all_permutations() -> None:
    from itertools import permutations

    table = np.random.default_rng(0).normal(size=(5, 5))
    means, shares = own_by_chance(table, 0)
    every = [np.mean([table[i, j] for i, j in enumerate(order)]) for order in permutations(range(5))]
    assert means.mean() == pytest.approx(table.mean(), abs=0.02)
    assert means.std() == pytest.approx(np.std(every), rel=0.05)
    assert shares.mean() == pytest.approx(0.2, abs=0.01)  # one in five


def test_no_words_alone_where_none_are_wanted() -> None:
    rows, estimates, _ = _run(Reader(1.0), areas=[0.1], reading=0)
    assert "word" not in rows.column("kind").to_pylist()
    assert not any(e.metric.startswith("reading") for e in estimates)


def test_all_prompts_are_announced() -> None:
    cell = AUDIT.plan(PlanContext(TypographicParams(protocol="scam", reading=0), 0, SCAM))[0]
    classes = sorted({v for image in PHOTOS for v in (image.attributes["label"], image.attributes["written"])})
    assert list(AUDIT.workload(cell).texts) == prompts(classes, eighty_templates()[:32])
