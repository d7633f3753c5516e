"""RunResult -> ReportView: the whole report in words, before any template."""

from __future__ import annotations

from collections.abc import Mapping

from clipaudit import numbers
from clipaudit.gate.results import GateResult
from clipaudit.results import CellStatus, DataInfo, GalleryFigure, Manifest, ModelInfo, RunResult
from clipaudit.verdict import summarise
from clipaudit_reports import blocks
from clipaudit_reports.briefs import briefs
from clipaudit_reports.budget import LADDER, Detail
from clipaudit_reports.cells import cell_view, data_anchor, method_anchor
from clipaudit_reports.cleaning import clean, cleaned
from clipaudit_reports.galleries import Album
from clipaudit_reports.gate import Places, gate_view
from clipaudit_reports.glossary import GLOSSARY
from clipaudit_reports.harms import by_severity, harm_sections
from clipaudit_reports.overview import verdict_view
from clipaudit_reports.provenance import manifest_view
from clipaudit_reports.view import DataView, MethodView, ModelView, NotTested, ReportView


def build_report(
    result: RunResult,
    manifest: Manifest | None = None,
    thumbnails: Mapping[str, bytes] | None = None,
    detail: Detail = LADDER[0],
    gate: GateResult | None = None,
) -> ReportView:
    """The view model of a run. `thumbnails` are keyed "<cell key>/<file name>"; `gate` is what a policy made of it."""
    result = cleaned(result)
    gate = None if gate is None else cleaned(gate)
    manifest = None if manifest is None else cleaned(manifest)
    ids = blocks.Ids(result.cells)
    galleries = sum(isinstance(figure, GalleryFigure) for cell in result.cells for figure in cell.figures)
    album = Album({clean(name): data for name, data in (thumbnails or {}).items()}, galleries, detail.thumbnails)
    cells = tuple(cell_view(cell, ids, album, detail) for cell in result.cells)
    harms = harm_sections(result.cells, cells, ids, detail.findings)
    groups = by_severity(harms)
    return ReportView(
        title=f"{result.model.name}: {result.suite_title or result.suite}",
        suite=result.suite_title or result.suite,
        version=result.clipaudit_version,
        date="" if manifest is None else manifest.started[:10],
        verdict=verdict_view(summarise(result, gate), groups, briefs(harms)),
        gate=None if gate is None else gate_view(gate, Places(result.cells, cells, ids)),
        model=_model(result.model),
        harms=harms,
        groups=groups,
        cells=cells,
        not_tested=_not_tested(result),
        methods=_methods(result),
        data=_data(result),
        manifest=manifest_view(result, manifest),
        glossary=GLOSSARY,
        complete=detail.full,
    )


def _model(model: ModelInfo) -> ModelView:
    facts = (
        ("parameters", "" if model.parameters is None else numbers.count_text(model.parameters)),
        ("embedding", "" if model.embedding_dim is None else f"{model.embedding_dim} dimensions"),
        ("image size", "" if model.image_size is None else f"{model.image_size} px"),
        ("context", "" if model.context_length is None else f"{model.context_length} tokens"),
        ("logit scale", "" if model.logit_scale is None else f"{model.logit_scale:.4g}"),
        ("logit bias", "" if model.logit_bias is None else f"{model.logit_bias:.4g}"),
        ("offers", ", ".join(model.capabilities)),
    )
    return ModelView(
        name=model.name,
        spec=model.spec,
        kind=model.kind,
        fingerprint=model.fingerprint,
        precision=model.precision,
        precision_reason=model.precision_reason,
        facts=tuple((name, value) for name, value in facts if value),
        warnings=model.warnings,
    )


def _not_tested(result: RunResult) -> tuple[NotTested, ...]:
    known = {each.id: each for each in result.untested if each.title}
    return tuple(
        NotTested(name, known[name].title, known[name].question, known[name].kind_of_harm.value)
        if name in known
        else NotTested(name, name, "", "")
        for name in result.not_tested
    )


def _methods(result: RunResult) -> tuple[MethodView, ...]:
    """One entry per audit and version, in the order of the run."""
    found: dict[str, MethodView] = {}
    for cell in result.cells:
        anchor, audit = method_anchor(cell), cell.audit
        found.setdefault(
            anchor,
            MethodView(
                anchor=anchor,
                id=audit.id,
                version=audit.version,
                family=audit.family,
                title=audit.title,
                question=audit.question,
                harm=audit.harm,
                methods=_paragraphs(audit.methods),
                citations=audit.citations,
                limits=audit.limits,
            ),
        )
    return tuple(found.values())


def _data(result: RunResult) -> tuple[DataView, ...]:
    """One entry per data set that was used, in the order of the run."""
    used: dict[str, DataInfo] = {}
    for cell in result.cells:
        if cell.data is not None and cell.status is not CellStatus.NOT_RUN:
            used.setdefault(cell.data.id, cell.data)
    return tuple(_data_card(data) for data in used.values())


def _data_card(data: DataInfo) -> DataView:
    facts = (
        ("items", numbers.count_text(data.items)),
        ("licence", data.licence),
        ("consent", data.consent),
        ("source", data.source),
        ("groups", ", ".join(data.groups)),
        ("citation", data.citation),
        ("pictures in reports", "allowed by the card" if data.thumbnails else "withheld: the card does not allow them"),
        ("digest", data.digest),
    )
    kept = tuple((name, value) for name, value in facts if value)
    return DataView(data_anchor(data.id), data.id, data.title, kept, data.limits)


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())
