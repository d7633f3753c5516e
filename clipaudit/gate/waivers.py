"""Who let what through, for which model, until when."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Literal

from clipaudit.gate.policy import Waiver
from clipaudit.gate.results import State, WaiverUse


def in_use(
    waivers: Sequence[Waiver], fingerprint: str, states: Mapping[str, State], today: datetime.date
) -> list[WaiverUse]:
    """What becomes of each waiver. Of several for one rule and this model the one that lasts longest counts."""
    return [
        WaiverUse(
            rule=waiver.rule,
            model=waiver.model,
            reason=waiver.reason,
            owner=waiver.owner,
            expires=waiver.expires,
            state=_state(waiver, waivers, fingerprint, states[waiver.rule], today),
        )
        for waiver in waivers
    ]


def of_rule(uses: Sequence[WaiverUse], rule: str) -> WaiverUse | None:
    """The waiver that bears on a rule: an active or an expired one."""
    return next((use for use in uses if use.rule == rule and use.state in ("active", "expired")), None)


def _state(
    waiver: Waiver, waivers: Sequence[Waiver], fingerprint: str, state: State, today: datetime.date
) -> Literal["active", "expired", "not needed", "other model"]:
    if not fingerprint.startswith(waiver.model):
        return "other model"
    rivals = [w for w in waivers if w.rule == waiver.rule and fingerprint.startswith(w.model)]
    if waiver is not max(rivals, key=lambda rival: rival.expires):
        return "not needed"
    if waiver.expires < today:
        return "expired"
    return "active" if state in (State.FAIL, State.INCONCLUSIVE) else "not needed"
