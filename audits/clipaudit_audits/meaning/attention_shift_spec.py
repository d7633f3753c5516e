"""What the attention-shift audit asks, and what its numbers mean before they are measured."""

from __future__ import annotations

from clipaudit.contract import AuditSpec, MetricSpec, Need
from clipaudit.results import Direction, Harm
from clipaudit_audits.meaning.attention_shift_params import AttentionShiftParams

MIN_N = 10

METRICS = (
    MetricSpec(
        name="divergence", title="Maps moved apart", unit="bits", range=(-1, 1), null_value=0.0, min_n=MIN_N,
        cluster_key="image", formula="JSD(accurate, other) - mean JSD(accurate, paraphrase)",
    ),
    MetricSpec(
        name="rank_loss", title="Order of patches lost", range=(-2, 2), null_value=0.0, min_n=MIN_N,
        cluster_key="image", formula="mean rho(accurate, paraphrase) - rho(accurate, other), Spearman over patches",
    ),
    MetricSpec(
        name="centre_shift", title="Centre moved", unit="sides", range=(-2, 2), null_value=0.0, min_n=MIN_N,
        cluster_key="image", formula="|c(accurate) - c(other)| - mean |c(accurate) - c(paraphrase)|, in sides",
    ),
    MetricSpec(
        name="mass_shift", title="Relevance on the object changed", unit="points", range=(-100, 100), null_value=0.0,
        min_n=MIN_N, cluster_key="image", formula="100 (mass(other) - mean mass(paraphrase))",
    ),
    MetricSpec(
        name="mass", title="Relevance on the object", unit="proportion", direction=Direction.LOWER_IS_WORSE,
        range=(0, 1), min_n=MIN_N, cluster_key="image", formula="share of positive relevance inside the mask",
    ),
    MetricSpec(
        name="pointing", title="Pointing game", unit="proportion", direction=Direction.LOWER_IS_WORSE, range=(0, 1),
        min_n=MIN_N, cluster_key="image", formula="P(patch of most relevance lies mostly on the object)",
    ),
    MetricSpec(
        name="faithfulness", title="Check: covering by the map beats covering at random", unit="score", min_n=MIN_N,
        null_value=0.0, cluster_key="image",
        formula="mean of (random - map) deletion area and (map - random) insertion area",
    ),
    MetricSpec(
        name="occlusion_agreement", title="Check: agreement with occlusion", range=(-1, 1), min_n=MIN_N,
        cluster_key="image", formula="Pearson over patches, accurate prompt",
    ),
    MetricSpec(
        name="shuffled_agreement", title="Check: maps of shuffled weights are others", range=(-1, 1), min_n=MIN_N,
        null_value=0.0, cluster_key="image", formula="Spearman over patches, accurate prompt",
    ),
)  # fmt: skip

SPEC = AuditSpec(
    id="attention_shift",
    version="1",
    family="meaning",
    title="Attention shift",
    question="Which parts of an image does its score rest on, and does a misleading prompt move them?",
    kind_of_harm=Harm.REASONS,
    harm="A score that rests on the ground and not on the thing is right by luck; and a heat map that finds evidence "
    "for whatever it is asked convinces a reader of anything.",
    citations=(
        "Chefer, Gur, Wolf 2021, Generic attention-model explainability for interpreting bi-modal and encoder-decoder "
        "transformers, ICCV",
        "Selvaraju et al. 2017, Grad-CAM, ICCV",
        "Zeiler, Fergus 2014, Visualizing and understanding convolutional networks, ECCV",
        "Petsiuk, Das, Saenko 2018, RISE (deletion and insertion), BMVC",
        "Zhang et al. 2016, Top-down neural attention by excitation backprop (pointing game), ECCV",
        "Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS",
    ),
    needs=frozenset({Need.SCORES}),
    uses=frozenset({Need.EMBEDDINGS, Need.GRADIENTS, Need.ATTENTION}),
    data=("tuxpaint-stamps", "objects"),
    columns=("label",),
    params=AttentionShiftParams,
    metrics=METRICS,
    limits=(
        "A map says what the score rests on when patches are covered or features scaled; it is no account of why.",
        "A score for a misleading prompt rests on something too: that its map lies elsewhere is no fault by itself.",
        "Maps are compared in coarse patches; what moves inside one patch is not seen.",
        "Cut-outs alone on a ground are easier to find than things in scenes.",
    ),
    methods="Maps by gradient-weighted attention for transformers (by default the last block, as in the authors' "
    "notebook for CLIP), by Grad-CAM for convolutional towers (gradient of the dot product with the text), by "
    "occlusion for all others. Shares are positive relevance made to sum to one. Every difference between the accurate "
    "and another prompt stands against that between the accurate prompt and its paraphrases on the same image; "
    "sign-flip tests (whether maps move further than wording moves them: one-sided), BCa intervals over images, Holm. "
    "On some of the images maps are checked: patches are covered (deletion) and uncovered (insertion) in the map's "
    "order and in random ones; the map is compared with occlusion, and with the map of the same network with shuffled "
    "weights. Where a map does not beat random orders, or does not change with the weights, findings from it are "
    "inconclusive and no map is shown.",
)  # fmt: skip
