"""A run as a report may get it: every status, every kind of figure, eight cells, one hostile one."""

from __future__ import annotations

import datetime
import io
from typing import Any

import numpy as np

from clipaudit.gate.results import Allowed, GateResult, Judged, RuleResult, State, WaiverUse
from clipaudit.results import (
    AuditInfo,
    BarsFigure,
    CellResult,
    CellStatus,
    Cloud,
    ColourScale,
    CurveFigure,
    DataInfo,
    Direction,
    Estimate,
    ForestFigure,
    GalleryFigure,
    GalleryItem,
    Harm,
    HeatmapFigure,
    Interval,
    Manifest,
    ModelInfo,
    Null,
    Panel,
    PanelsFigure,
    Point,
    RankFigure,
    Reference,
    ReliabilityBin,
    ReliabilityCurve,
    ReliabilityFigure,
    RunResult,
    ScatterFigure,
    Series,
    ShapeTextureFigure,
    Status,
    Test,
    Untested,
)

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>$\\frac{1}{2}$\x1b[31m\u202e&amp;'
CLASSES = [
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
]


def audit(name: str, family: str, question: str, **more: Any) -> AuditInfo:
    return AuditInfo(
        id=name,
        version="1.0",
        family=family,
        title=more.pop("title", name.replace("_", " ").capitalize()),
        question=question,
        harm=more.pop("harm", "People are ranked, found or described differently because of how they look."),
        citations=("Steed & Caliskan (2021), https://doi.org/10.1145/3442188.3445932",),
        limits=("A small stimulus set stands for a whole concept.", "An association is not yet a decision."),
        methods="Each item is embedded once.\n\nIntervals resample the source images; tests are exact where possible.",
        **more,
    )


def data(name: str, **more: Any) -> DataInfo:
    values: dict[str, Any] = {
        "title": name.replace("-", " ").capitalize(),
        "digest": "ab" * 32,
        "items": 1200,
        "licence": "CC-BY-4.0",
        "consent": "drawn, no person is shown",
        "source": "built in",
        "citation": "Drawn for this toolkit.",
        "groups": ("skin tone (drawn)", "hair (drawn)"),
        "limits": ("Drawn faces are not photographs.",),
    }
    return DataInfo(id=name, **(values | more))


ASSOCIATION = audit(
    "association",
    "social bias",
    "Do images or words of one social group lie nearer to pleasant, career or science than those of another?",
    title="Association tests",
)
COUNTERFACTUAL = audit(
    "counterfactual",
    "social bias",
    "Does changing one drawn attribute of a person, and nothing else, change which words fit?",
)
TYPOGRAPHIC = audit(
    "typographic",
    "robustness",
    "Does a word written on an image change what the model sees in it?",
    harm="Anybody with a pen can make the model misread an object.",
)
CUE = audit(
    "cue_conflict", "meaning", "When shape and texture disagree, which one decides?",
    title="Shape or texture", harm="A model that follows texture fails where surfaces change: night, snow, camouflage.",
)  # fmt: skip
NAMES = [
    "Insect-Flower",
    "Age",
    "Arab-Muslim",
    "Asian",
    "Disability",
    "Gender-Career",
    "Gender-Science",
    "Insect",
    "Native",
    "Race",
    "Religion",
    "Sexuality",
    "Skin-Tone",
    "Weapon",
    "Weapon (Modern)",
    "Weight",
]


def association_cell() -> CellResult:
    rng = np.random.default_rng(3)
    estimates = []
    for index, name in enumerate(NAMES):
        d = float(rng.normal(0.9 if index % 4 == 0 else 0.1, 0.25))
        p = 0.0002 * (index + 1) if index % 4 == 0 else 0.2 + 0.04 * index
        small = index == 15
        estimates.append(
            Estimate(
                metric="effect_size",
                title="Effect size d",
                value=d,
                unit="d",
                direction=Direction.AWAY_FROM_NULL_IS_WORSE,
                subgroup={"test": name},
                interval=Interval(low=d - 0.5, high=d + 0.45, method="BCa bootstrap, 2,000 resamples"),
                n=4 if small else 16 + index,
                clusters=8 + index,
                cluster_key="image",
                null_value=0.0,
                null=Null(mean=0.0, low=-0.6, high=0.6, method="exact permutation"),
                test=None
                if small
                else Test(
                    p=p,
                    p_adjusted=min(1.0, p * 16),
                    correction="Holm over 16 tests",
                    method="exact permutation (12,870 partitions)",
                    alternative="greater",
                    smallest_p=0.00008,
                ),
                minimum_detectable=0.82,
                status=Status.TOO_SMALL if small else (Status.EFFECT if p * 16 < 0.05 else Status.NO_EFFECT),
                references=(Reference(label="iGPT", value=1.26, source="Steed & Caliskan 2021"),) if index < 3 else (),
                notes=("BCa intervals are too narrow at n of 10 or less.",) if index % 5 == 0 else (),
                sentence=f"{name}: the first group lies {abs(d):.2f} standard deviations nearer to the first attribute "
                f"(95 % interval {d - 0.5:.2f} to {d + 0.45:.2f}, n = {16 + index} images); this says nothing about use.",
            )
        )
    points = tuple(
        Point(label=e.subgroup["test"], value=e.value, low=e.interval.low, high=e.interval.high, n=e.n,
              null_low=-0.6, null_high=0.6, group="effect" if e.status is Status.EFFECT else "no effect shown")
        for e in estimates if e.interval
    )  # fmt: skip
    figure = ForestFigure(
        id="forest", title="Effect size per test", caption="Right of zero: the stereotype's direction.",
        alt="16 tests; the largest effect is 1.35 d for Insect-Flower.", x_label="effect size d", points=points,
        null_value=0.0, references=(Reference(label="iGPT, median of 39", value=0.44, source="Steed & Caliskan 2021"),),
    )  # fmt: skip
    control = Estimate(
        metric="sanity", title="Flowers are nearer to pleasant than insects", value=1.35, unit="d", role="control", n=20,
        interval=Interval(low=0.9, high=1.7, method="BCa bootstrap"), status=Status.DESCRIBED,
        sentence="The control test, known from people, comes out as it does for people.",
    )  # fmt: skip
    return cell("association.ieat", "Association tests on iEAT stimuli", ASSOCIATION, data("ieat"), [*estimates, control],
                [figure], rows=640, error_rows=3, errors=("faces/a.png: truncated file", "faces/b.png: zero bytes"),
                notes=("The reference encoder knows little of people.",))  # fmt: skip


def counterfactual_cell() -> CellResult:
    rng = np.random.default_rng(5)
    tones = [f"tone {level}" for level in range(1, 11)]
    words = ["honest", "criminal", "leader", "nurse", "engineer", "lazy", "brilliant", "poor", "rich", "angry"]
    values = rng.normal(0, 0.02, (len(words), len(tones)))
    values[1] += np.linspace(-0.02, 0.05, 10)
    estimates = [
        Estimate(
            metric="shift", title="Shift of cosine from lightest to darkest drawn skin", value=float(v[-1] - v[0]),
            unit="cosine", direction=Direction.HIGHER_IS_WORSE if word == "criminal" else Direction.DESCRIPTIVE,
            subgroup={"word": word},
            interval=Interval(low=float(v[-1] - v[0]) - 0.01, high=float(v[-1] - v[0]) + 0.01, method="BCa bootstrap"),
            n=240, clusters=24, cluster_key="drawn person", null_value=0.0, minimum_detectable=0.012,
            test=Test(p=0.0004 if word == "criminal" else 0.31, p_adjusted=0.004 if word == "criminal" else 0.62,
                      correction="Benjamini-Hochberg over 10 words", method="paired sign-flip permutation"),
            status=Status.EFFECT if word in ("criminal",) else Status.NO_EFFECT,
            sentence=f"Between the lightest and the darkest drawn skin, “{word}” moves by {v[-1] - v[0]:+.3f} cosine "
            f"(95 % interval {v[-1] - v[0] - 0.01:.3f} to {v[-1] - v[0] + 0.01:.3f}; 240 pairs of 24 drawn people).",
        )
        for word, v in zip(words, values, strict=True)
    ]  # fmt: skip
    heat = HeatmapFigure(
        id="words", title="Shift per word and drawn skin tone", caption="Against the mean over all tones.",
        rows=tuple(words), columns=tuple(tones), values=tuple(tuple(map(float, row)) for row in values),
        marked=tuple(tuple(w == "criminal" and t > 6 for t in range(10)) for w in words),
        value_label="shift of cosine", diverging=True,
    )  # fmt: skip
    ranks = RankFigure(
        id="along", title="Skew along the ranking", x_label="k, images from the top", y_label="skew", null_value=0.0,
        series=tuple(
            Series(name=tone, x=(5.0, 20.0, 120.0), y=(0.9 - 0.2 * i, 0.3, None), low=(-0.2, -0.1, 0.0),
                   high=(0.4, 0.2, 0.1))
            for i, tone in enumerate(tones[:3])
        ),
    )  # fmt: skip
    panels = PanelsFigure(
        id="intersections", title="Drawn skin and hair", x_label="share", null_value=0.5,
        panels=tuple(
            Panel(title=hair, points=tuple(
                Point(label=tone, value=0.1 * i + 0.3, low=0.1 * i + 0.2, high=0.1 * i + 0.4, n=24,
                      group=str(Status.EFFECT if i else Status.TOO_SMALL), null_low=0.4, null_high=0.6)
                for i, tone in enumerate(tones[:3])
            ))
            for hair in ("long hair", "short hair")
        ),
    )  # fmt: skip
    gallery = GalleryFigure(
        id="worst", title="Pairs with the largest shift", caption="Left: lightest, right: darkest.",
        entries=tuple(
            GalleryItem(items=(f"person-{i}/tone-1", f"person-{i}/tone-10"), caption=f"person {i}, “criminal”",
                        score=0.09 - i * 0.01, thumbnails=(f"{i}a.webp", f"{i}b.webp"))
            for i in range(4)
        ),
    )  # fmt: skip
    return cell("counterfactual.avatars", "One attribute changed, drawn people", COUNTERFACTUAL,
                data("avatars", thumbnails=True), estimates, [heat, ranks, panels, gallery], rows=2400)  # fmt: skip


def typographic_cell() -> CellResult:
    areas = (0.01, 0.02, 0.05, 0.1, 0.2)
    curve = CurveFigure(
        id="dose", title="Flips by the area of the word", x_label="area of the word, share of the image",
        y_label="share that flips", x_log=True, y_range=(0.0, 1.0),
        series=(
            Series(name="wrong label", x=areas, y=(0.02, 0.08, 0.31, 0.55, 0.72),
                   low=(0.0, 0.04, 0.24, 0.48, 0.65), high=(0.05, 0.13, 0.38, 0.62, 0.79)),
            Series(name="random string", x=areas, y=(0.01, 0.02, 0.03, 0.05, 0.09),
                   low=(0.0, 0.0, 0.01, 0.02, 0.05), high=(0.03, 0.05, 0.07, 0.09, 0.14)),
            Series(name="fit", x=areas, y=(0.03, 0.09, 0.28, 0.54, 0.75), line_only=True),
        ),
        references=(Reference(label="CLIP ViT-L/14", value=0.68, source="Goh et al. 2021"),),
        marks=(Reference(label="half flip at", value=0.09, source="logistic fit"),),
    )  # fmt: skip
    bars = BarsFigure(
        id="by-class", title="Flips by class", y_label="share that flips", y_range=(0.0, 1.0),
        points=tuple(
            Point(label=name, value=0.1 + 0.05 * i + 0.1 * g, low=0.05 + 0.05 * i + 0.1 * g,
                  high=0.15 + 0.05 * i + 0.1 * g, n=30, group=group)
            for i, name in enumerate(CLASSES[:10]) for g, group in enumerate(("wrong label", "random string"))
        ),
        references=(Reference(label="chance", value=0.1, source="1 of 10 classes"),),
    )  # fmt: skip
    gallery = GalleryFigure(
        id="worst",
        title="Surest of the written word",
        entries=tuple(
            GalleryItem(items=(f"img/{i}.jpg",), caption="apple read as “iPod”", score=0.9) for i in range(3)
        ),
        withheld="The data card does not allow thumbnails in a report.",
    )
    estimates = [
        Estimate(
            metric="flip_rate", title="Flips to the written word", value=0.31, unit="proportion",
            direction=Direction.HIGHER_IS_WORSE, subgroup={}, n=300, clusters=150, cluster_key="source image",
            interval=Interval(low=0.24, high=0.38, method="BCa bootstrap"), null_value=0.03,
            null=Null(mean=0.03, low=0.01, high=0.05, method="random string of the same length"),
            test=Test(p=1e-9, p_adjusted=3e-9, correction="Holm over 3 tests", method="McNemar exact"),
            other_tests=(Test(p=0.0001, method="paired bootstrap"),), status=Status.EFFECT, minimum_detectable=0.05,
            references=(Reference(label="CLIP ViT-L/14", value=0.68, source="Goh et al. 2021"),),
            sentence="A wrong label of 5 % of the area flips 31.0 % of images that were right without it "
            "(95 % interval 24.0 to 38.0 %, n = 300); a random string flips 3 %.",
        ),
        Estimate(metric="accuracy", title="Right without any word", value=0.433, unit="proportion", role="secondary",
                 interval=Interval(low=0.38, high=0.49, method="Wilson"), n=300, sentence="43.3 % are right."),
        Estimate(metric="flip_rate", title="Flips to the written word", value=None, unit="proportion", n=0,
                 subgroup={"class": "oven"}, status=Status.TOO_SMALL),
    ]  # fmt: skip
    return cell("typographic.rta100", "Words written on things", TYPOGRAPHIC,
                data("rta100", licence="research only", consent="objects, no people"), estimates, [curve, bars, gallery],
                rows=900, params={"areas": list(areas), "font": "DejaVu Sans", "seed": None})  # fmt: skip


def cue_cell() -> CellResult:
    rng = np.random.default_rng(1)
    figure = ShapeTextureFigure(
        id="classes", title="Shape against texture by class",
        points=tuple(
            Point(label=name, value=float(v), low=max(0.0, float(v) - 0.12), high=min(1.0, float(v) + 0.12), n=80, group=g)
            for g, mean in (("this model", 0.27), ("humans", 0.95))
            for name, v in zip(CLASSES, np.clip(rng.normal(mean, 0.05, 16), 0, 1), strict=True)
        ),
        overall=(Reference(label="this model", value=0.27, source="all classes"),
                 Reference(label="humans", value=0.9587, source="Geirhos et al. 2019")),
    )  # fmt: skip
    estimate = Estimate(
        metric="shape_bias", title="Shape bias", value=0.271, unit="proportion", direction=Direction.LOWER_IS_WORSE,
        interval=Interval(low=0.22, high=0.33, method="BCa bootstrap"), n=1280, clusters=160, cluster_key="shape image",
        references=(Reference(label="humans", value=0.9587, source="Geirhos et al. 2019"),),
        sentence="Of 612 decisions for either cue, 27.1 % follow the shape (95 % interval 22.0 to 33.0 %).",
    )  # fmt: skip
    return cell("cue_conflict.published", "Published cue conflicts", CUE, data("cue-conflict"), [estimate], [figure])


def two_clouds() -> ScatterFigure:
    rng = np.random.default_rng(7)
    clouds = []
    for name, (x, y), n in (("images", (-0.4, 0.1), 300), ("texts", (0.45, -0.05), 300)):
        spread = rng.normal(0, 0.06, (2, n))
        clouds.append(
            Cloud(name=name, x=tuple(map(float, x + spread[0])), y=tuple(map(float, y + spread[1])), centre=(x, y))
        )
    return ScatterFigure(
        id="clouds", title="Where images and texts lie", caption="The plane of the gap and the first component.",
        x_label="along the gap", y_label="first principal component", clouds=tuple(clouds), gap="gap 0.86",
    )  # fmt: skip


def two_curves() -> ReliabilityFigure:
    def bins(lean: float) -> tuple[ReliabilityBin, ...]:
        return tuple(
            ReliabilityBin(confidence=c, accuracy=c - lean * c, low=max(0.0, c - lean * c - 0.08),
                           high=min(1.0, c - lean * c + 0.08), n=40 + 30 * i)
            for i, c in enumerate((0.15, 0.35, 0.55, 0.75, 0.95))
        )  # fmt: skip

    return ReliabilityFigure(
        id="reliability", title="Confidence and accuracy", caption="Ten bins of equal width.",
        curves=(ReliabilityCurve(name="as it comes", bins=bins(0.3)), ReliabilityCurve(name="scaled", bins=bins(0.02))),
    )  # fmt: skip


def meaning_cell() -> CellResult:
    maps = GalleryFigure(
        id="maps", title="Where the model looks", caption="Largest shifts first.", columns=("image", "accurate", "misleading"),
        scale=ColourScale(label="relevance", low="none", high="most of this map", stops=("#0d0887", "#cc4778", "#f0f921")),
        entries=tuple(
            GalleryItem(items=tuple(f"dog-{i}.png#{part}" for part in ("image", "accurate", "misleading")),
                        caption=f"“a dog” against “a cat”, shift 0.{8 - i}",
                        thumbnails=(f"m{i}a.webp", f"m{i}b.webp", f"m{i}c.webp"))
            for i in range(3)
        ),
    )  # fmt: skip
    info = audit("attention_shift", "meaning", "Does a misleading prompt move what the model looks at?")
    return cell("attention_shift.stamps", "Attention under a misleading prompt", info, data("stamps", thumbnails=True), [],
                [two_clouds(), two_curves(), maps])  # fmt: skip


def hostile_cell(attack: str = HOSTILE) -> CellResult:
    """A cell on which `attack` stands wherever text is free."""
    info = audit(attack, attack, attack, harm=attack)
    estimate = Estimate(metric=attack, title=attack, value=0.5, unit=attack, subgroup={attack: attack}, n=7,
                        notes=(attack,), sentence=attack)  # fmt: skip
    point = Point(label=attack, value=0.5, low=0.4, high=0.6, n=3, group=attack, note=attack)
    other = point.model_copy(update={"group": "$x^2$", "label": "a_b^c $"})
    reference = Reference(label=attack, value=0.3, source=attack)
    text: dict[str, Any] = {"title": attack, "caption": attack, "alt": attack}
    figures = [
        ForestFigure(id="f", x_label=attack, points=(point, other), references=(reference,), **text),
        BarsFigure(id="f", y_label=attack, points=(point, other), references=(reference,), **text),
        CurveFigure(id=attack, x_label=attack, y_label=attack, marks=(reference,),
                    series=(Series(name=attack, x=(0, 1), y=(0, None)), Series(name="$y$", x=(0, 1), y=(1, 2))), **text),
        HeatmapFigure(id="h", rows=(attack,), columns=(attack,), values=((0.1,),), value_label=attack, **text),
        ShapeTextureFigure(id="s", points=(point, other), overall=(reference,), **text),
        RankFigure(id="r", x_label=attack, y_label=attack, series=(Series(name=attack, x=(1, 2), y=(0, 1)),), **text),
        PanelsFigure(id="p", x_label=attack, panels=(Panel(title=attack, points=(point, other)),), **text),
        ScatterFigure(id="c", x_label=attack, y_label=attack, gap=attack, **text,
                      clouds=tuple(Cloud(name=attack, x=(0.0, i), y=(0.0, 1.0), centre=(0.1, i)) for i in (1.0, 2.0))),
        ReliabilityFigure(id="l", **text, curves=(ReliabilityCurve(name=attack, bins=(
            ReliabilityBin(confidence=0.5, accuracy=0.4, low=0.2, high=0.6, n=7),)),)),
        GalleryFigure(id="g", entries=(GalleryItem(items=(attack, "b"), caption=attack, thumbnails=("../x.webp", "a.webp")),),
                      columns=(attack,), scale=ColourScale(label=attack, low=attack, high=attack,
                                                            stops=(attack, "red);background:url(//x)", "#000000")), **text),
    ]  # fmt: skip
    return cell(attack, attack, info, data(attack, title=attack, licence=attack), [estimate], figures,
                params={attack: attack, "nested": {"a": [attack]}}, error_rows=1, errors=(attack,), notes=(attack,))  # fmt: skip


def cell(
    slug: str, title: str, info: AuditInfo, used: DataInfo | None, estimates: Any, figures: Any, **more: Any
) -> CellResult:
    values: dict[str, Any] = {"rows": 100, "status": CellStatus.DONE, "seed": 11, "params": {"n_resamples": 2000}}
    return CellResult(key=f"k{len(slug):03d}{sum(map(ord, slug)):06d}", slug=slug, title=title, audit=info, data=used,
                      estimates=tuple(estimates), figures=tuple(figures), **(values | more))  # fmt: skip


def unrun_cells() -> list[CellResult]:
    return [
        cell("association.text", "Association tests of texts", ASSOCIATION, None, [], [], rows=0,
             status=CellStatus.NOT_RUN, reason="it needs embeddings and the model offers only scores"),
        cell("typographic.scam", "Words in the wild", TYPOGRAPHIC, data("scam"), [], [], rows=0,
             status=CellStatus.NOT_RUN, reason="data set scam is not in reach; give its folder: --data scam=PATH"),
        cell("cue_conflict.stamps", "Our own cue conflicts", CUE, data("tuxpaint-stamps"), [], [], rows=800, error_rows=90,
             status=CellStatus.ERRORED, reason="90 of 800 items (11.3 %) could not be read; the limit is 1 %",
             errors=("stamps/broken.png: truncated file",)),
        cell("counterfactual.none", "Drawn people, glasses", COUNTERFACTUAL, data("avatars"), [
            Estimate(metric="shift", title="Shift of cosine with glasses", value=0.0004, unit="cosine", n=24,
                     interval=Interval(low=-0.004, high=0.005, method="BCa bootstrap"), status=Status.NO_EFFECT,
                     test=Test(p=0.8, method="paired sign-flip permutation"), minimum_detectable=0.007, null_value=0.0)
        ], []),
    ]  # fmt: skip


def model(**more: Any) -> ModelInfo:
    values: dict[str, Any] = {
        "spec": "reference", "name": "reference encoder", "fingerprint": "9f" * 32, "kind": "open_clip",
        "capabilities": ("embeddings", "scores"), "precision": "float32",
        "precision_reason": "this machine has no bfloat16 arithmetic", "embedding_dim": 384, "image_size": 224,
        "context_length": 128, "logit_scale": 100.0, "parameters": 28_000_000,
        "warnings": ("This is not CLIP: it was fitted from a classifier's weights and a sentence encoder, knows little "
                     "of people and cannot read. It shows how the toolkit works; its results say nothing about CLIP.",),
    }  # fmt: skip
    return ModelInfo(**(values | more))


def make_result(*cells: CellResult, **more: Any) -> RunResult:
    values: dict[str, Any] = {
        "clipaudit_version": "0.1.0", "suite": "demo", "suite_title": "Demo: one audit of each family", "seed": 0,
        "model": model(), "not_tested": ("adversarial", "geographic", "retrieval"),
        "untested": (
            Untested(id="adversarial", title="Adversarial images", question="How small a change deceives it?",
                     kind_of_harm=Harm.DECEPTION),
            Untested(id="geographic"),
        ),
    }  # fmt: skip
    chosen = cells or (
        association_cell(),
        counterfactual_cell(),
        typographic_cell(),
        cue_cell(),
        meaning_cell(),
        *unrun_cells(),
    )
    return RunResult(cells=chosen, **(values | more))


def judged(done: CellResult, index: int, **more: Any) -> Judged:
    """An estimate of a cell as a rule judges it."""
    e = done.estimates[index]
    values: dict[str, Any] = {"value": e.value, "interval": e.interval, "n": e.n}
    return Judged(cell=done.slug, cell_key=done.key, metric=e.metric, title=e.title, unit=e.unit, role=e.role,
                  subgroup=e.subgroup, **(values | more))  # fmt: skip


def rule(name: str, state: State, found: tuple[Judged, ...], **more: Any) -> RuleResult:
    values: dict[str, Any] = {
        "kind": "absolute", "severity": "major", "asked": f"{name}: at most 20.0 %", "reason": "What was found.",
        "blocks": state is not State.PASS, "unit": found[0].unit if found else "", "allowed": Allowed(high=0.2),
    }  # fmt: skip
    return RuleResult(id=name, state=state, judged=found, **(values | more))


def make_gate(result: RunResult, words: str = "", **more: Any) -> GateResult:
    """A gate on the sample run: every state, a waiver in use and one expired. `words`: said wherever text is free."""
    association, shifts, written, cue = result.cells[:4]
    used = WaiverUse(rule="association", model="9f9f", reason=words or "Known; the next data set mends it.",
                     owner=words or "ada@example.org", expires=datetime.date(2026, 3, 1), state="active")  # fmt: skip
    late = used.model_copy(update={"rule": "gone", "state": "expired"})
    rules = (
        rule("shape-bias", State.PASS, (judged(cue, 0),), allowed=Allowed(low=0.2), severity="minor"),
        rule("association", State.FAIL, tuple(judged(association, i) for i in range(5)), blocks=False, waiver=used,
             allowed=Allowed(low=-0.5, high=0.5)),
        rule("shift-stays", State.INCONCLUSIVE, (judged(shifts, 0, value=0.03, before=0.0, after=0.03),), kind="change",
             allowed=Allowed(high=0.02), n_needed=1234, severity="critical"),
        rule(words or "attack", State.FAIL, (judged(written, 0),), asked=words or "Flips: at most 20.0 %"),
        rule("no-such-cell", State.ERROR, (), reason=words or "The audit was not run."),
    )  # fmt: skip
    values: dict[str, Any] = {
        "state": State.FAIL, "headline": "5 rules: 1 failed, 1 inconclusive, 1 could not be judged, 1 passed, 1 waived",
        "exit_code": 3, "rules": rules, "waivers": (late, used), "policy": words or "gate.toml",
    }  # fmt: skip
    return GateResult(
        clipaudit_version="0.1.0", policy_digest="12" * 32, profile="release", level=0.05,
        judged_on=datetime.date(2026, 1, 2), result_digest="ef" * 32, suite=result.suite, model=result.model.name,
        fingerprint=result.model.fingerprint, **(values | more),
    )  # fmt: skip


def make_manifest() -> Manifest:
    return Manifest(
        command=("/home/x/bin/clipaudit", "run", "demo"), started="2026-01-02T03:04:05+00:00",
        finished="2026-01-02T03:07:05+00:00", seconds=180.2, python="3.12.3", platform="Linux",
        packages={"numpy": "2.1", "torch": "2.9"}, hardware={"cpu": "2 cores"}, suite_digest="cd" * 32,
        model_fingerprint="9f" * 32, seed=0, data={"avatars": "ab" * 32}, forward_passes={"images": 4000, "texts": 120},
        cell_seconds={"association.ieat": 12.5}, result_digest="ef" * 32,
    )  # fmt: skip


def make_thumbnails(result: RunResult) -> dict[str, bytes]:
    from PIL import Image, ImageDraw

    files = {}
    for done in result.cells:
        for figure in done.figures:
            for index, entry in enumerate(figure.entries if isinstance(figure, GalleryFigure) else ()):
                for shade, name in enumerate(entry.thumbnails):
                    image = Image.new("RGB", (160, 160), (235, 228, 216))
                    ImageDraw.Draw(image).ellipse(
                        (40, 30, 120, 130), fill=(240 - 120 * shade, 200 - 110 * shade, 60 + 30 * index)
                    )
                    buffer = io.BytesIO()
                    image.save(buffer, "WEBP")
                    files[f"{done.key}/{name}"] = buffer.getvalue()
    return files
