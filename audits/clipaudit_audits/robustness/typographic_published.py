"""Published figures that stand beside results: context, not targets."""

from __future__ import annotations

from collections.abc import Mapping

from clipaudit.results import Reference

_SOURCE = "protocol of Westerhoff et al. 2025 on the published CLIP model"
# Two-way accuracy on SCAM: clean, real, synthetic.
_SCAM: Mapping[str, tuple[float, float, float]] = {
    "CLIP RN50": (0.9776, 0.3666, 0.2246),
    "CLIP RN101": (0.9793, 0.4019, 0.2625),
    "CLIP RN50x4": (0.9819, 0.3287, 0.2633),
    "CLIP ViT-L/14@336": (0.9923, 0.3391, 0.2651),
}
_QUARTERS = (0.708, 0.359, 0.252, 0.148)  # of RN50, real, smallest notes first


def scam_references(data_id: str | None, variant: str) -> tuple[Reference, ...]:
    """Two-way accuracy of published models on one variant of SCAM; none for other data."""
    if data_id != "scam":
        return ()
    column = ("clean", "real", "synthetic").index(variant)
    return tuple(Reference(label=name, value=values[column], source=_SOURCE) for name, values in _SCAM.items())


def quarter_reference(data_id: str | None, quarter: int) -> tuple[Reference, ...]:
    """Accuracy of RN50 on SCAM's photographed notes in one quarter of their areas."""
    if data_id != "scam":
        return ()
    return (Reference(label="CLIP RN50", value=_QUARTERS[quarter], source=_SOURCE),)
