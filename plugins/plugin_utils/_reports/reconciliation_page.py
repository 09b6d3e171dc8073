# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a DNS reconciliation as an HTML page. Pure functions on the report.

A run may have a thousand zones, and a zone whose server lost it a hundred thousand records to delete. So a page has a size that
browsers and mail servers accept: the zones with problems come first, and what does not fit is counted.
"""

from __future__ import annotations

import dataclasses
import typing as t

import markupsafe

from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS
from ...module_utils._dns.guard import LIFTED_BY_APPROVE
from . import formats, page, rendering
from .fields import ReportedFailure
from .links import FileLinks
from .reconciliation_view import (
    BrokenRule,
    DriftView,
    ReconciliationView,
    RecordSide,
    RecordView,
    ZoneView,
    reconciliation_view,
)

#: bytes that the zones may take on a page
MAX_BYTES = 1_900_000
#: of them, those that the sections of single zones may take: the rest is for the overview of all zones
MAX_DETAIL_BYTES = 750_000
#: record sets shown of one zone
MAX_RECORDS = 300
#: records shown of one record set
MAX_VALUES = 20
#: characters shown of one value, of a reason in the overview, and of a text that explains a failure
MAX_VALUE, MAX_REASON, MAX_TEXT = 160, 240, 2000
#: bytes of markup around a row of the overview, a section of a zone, a record set, and a value
ROW_BYTES, CARD_BYTES, RECORD_BYTES, VALUE_BYTES = 750, 1550, 520, 18
#: a plan is unfolded if there are at most so many sections of zones, and so many record sets in it
MAX_OPEN_CARDS, MAX_OPEN_RECORDS = 5, 20

#: counts in the report, their tone, and their sign
CHANGES = (("creates", "ok", "+"), ("updates", "info", "~"), ("deletes", "bad", "−"))
_SIGNS = {name[:-1]: (tone, sign) for name, tone, sign in CHANGES}

#: guards that do not hold for an approved plan; ``approve`` is broken by a plan that is not the approved one
APPROVABLE = (*LIFTED_BY_APPROVE, "approve")

_TEMPLATE = rendering.page_template("reconciliation.html.j2")


class SizeBudget:
    """The bytes that are left for a part of a page."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, markup: int, *texts: str) -> bool:
        """Take the bytes of some markup and of these texts, escaped.

        :returns: whether they fit; if not, nothing is taken.
        """
        needed = markup + sum(len(markupsafe.escape(text).encode("utf-8", "replace")) for text in texts)
        if needed > self.left:
            return False
        self.left -= needed
        return True


@dataclasses.dataclass(frozen=True)
class Bar:
    """A part of the bar of a zone; ``left`` and ``width`` are in per cent."""

    tone: str
    left: float
    width: float


@dataclasses.dataclass(frozen=True)
class ZoneRow:
    """A row of the overview.

    :param anchor: of the section of the zone; empty if there is none.
    :param changes: what stands there instead of bars.
    """

    zone: ZoneView
    anchor: str
    tone: str
    bars: tuple[Bar, ...]
    changes: str
    reason: str


@dataclasses.dataclass(frozen=True)
class ShownSide:
    """One side of a record set; ``more`` is the number of records that are not shown."""

    records: tuple[str, ...]
    more: int
    ttl: str


@dataclasses.dataclass(frozen=True)
class ShownRecord:
    record: RecordView
    tone: str
    sign: str
    before: ShownSide | None
    after: ShownSide | None


@dataclasses.dataclass(frozen=True)
class ZoneCard:
    """The section of a zone.

    :param digest: of the plan, if an approval of it would lift a guard.
    :param more: number of record sets that differ and are not shown.
    :param open: whether the plan is unfolded.
    """

    zone: ZoneView
    anchor: str
    tone: str
    facts: tuple[str, ...]
    guards: tuple[BrokenRule, ...]
    failure: ReportedFailure | None
    digest: str
    needs_more_than_approval: bool
    reason: str
    records: tuple[ShownRecord, ...] = ()
    more: int = 0
    open: bool = False


@dataclasses.dataclass(frozen=True)
class ReconciliationPage:
    """What the template shows.

    :param counts: name, number and tone of each verdict.
    :param changes: name, number and tone of each kind of change.
    :param rows: of the zones with problems or drift.
    :param in_sync: rows of the zones in sync.
    """

    batch_refusal: str
    counts: tuple[tuple[str, int, str], ...]
    changes: tuple[tuple[str, int, str], ...]
    rows: tuple[ZoneRow, ...]
    rows_left_out: int
    in_sync: tuple[ZoneRow, ...]
    in_sync_total: int
    cards: tuple[ZoneCard, ...]
    cards_left_out: int


def reconciliation_page(report: t.Mapping[str, object], path: str = "") -> str:
    """The report of a reconciliation as one HTML page that needs nothing else, of less than 2 MB.

    :param report: as role ``dns_reconciliation`` writes it.
    :param path: of its JSON, next to which this is going to be; empty if it is not.
    """
    view = reconciliation_view(report)
    zones = f"{len(view.zones)} {'zone' if len(view.zones) == 1 else 'zones'}"
    requests = view.summary.get("requests")
    frame = page.PageFrame(
        kind="Reconciliation of VinylDNS with DNS",
        title=f"DNS reconciliation {formats.humanize(view.verdict)}: {zones}",
        verdict=view.verdict,
        tone=_tone(view.verdict, view),
        message=view.explanation,
        check_mode=view.check_mode,
        files=FileLinks.of(path),
        facts=(
            ("Zones", str(len(view.zones) or "")),
            ("Started", formats.date_time(view.started_at)),
            ("Finished", formats.date_time(view.finished_at)),
            ("Took", formats.seconds(view.elapsed)),
            ("Requests sent", str(requests or "")),
        ),
    )
    return page.render(_TEMPLATE, frame, _page(view))


def _page(view: ReconciliationView) -> ReconciliationPage:
    zones = sorted(view.zones, key=_rank)
    with_details = [zone for zone in zones if _needs_details(zone)]
    troubled = [zone for zone in zones if zone.verdict != "in_sync"]
    in_sync = [zone for zone in zones if zone.verdict == "in_sync"]
    budget = SizeBudget(MAX_BYTES - MAX_DETAIL_BYTES)
    cards = _cards(with_details, view)
    anchors = {id(card.zone): card.anchor for card in cards}
    rows = _rows(troubled, budget, view, anchors)
    return ReconciliationPage(
        batch_refusal=formats.clip(view.batch_refusal, MAX_TEXT),
        counts=tuple(
            (word, view.summary[word], _tone(word, view)) for word in reversed(RECONCILIATION_VERDICTS) if view.summary.get(word)
        ),
        changes=tuple((name, view.summary[name], tone) for name, tone, _sign in CHANGES if view.summary.get(name)),
        rows=rows,
        rows_left_out=len(troubled) - len(rows),
        in_sync=_rows(in_sync, budget, view, anchors),
        in_sync_total=len(in_sync),
        cards=cards,
        cards_left_out=len(with_details) - len(cards),
    )


def _rank(zone: ZoneView) -> int:
    """The worst first, otherwise in the order of the report."""
    names: tuple[str, ...] = RECONCILIATION_VERDICTS
    return -names.index(zone.verdict) if zone.verdict in names else -len(names)


def _tone(verdict: str, view: ReconciliationView) -> str:
    if verdict == "drift":
        return "info" if view.ok else "warn"
    return formats.tone(verdict)


def _needs_details(zone: ZoneView) -> bool:
    return bool(zone.failure or zone.drift.records or zone.verdict != "in_sync")


# -- overview ------------------------------------------------------------------------------------------------------------


def _rows(
    zones: t.Sequence[ZoneView], budget: SizeBudget, view: ReconciliationView, anchors: t.Mapping[int, str]
) -> tuple[ZoneRow, ...]:
    most = max((zone.drift.changes for zone in view.zones), default=0)
    rows = []
    for zone in zones:
        reason = formats.clip(_short_reason(zone), MAX_REASON)
        if not budget.take(ROW_BYTES, zone.zone, reason):
            break
        bars = _bars(zone.drift, most)
        changes = "" if bars else "none" if zone.drift.known else "not known"
        rows.append(ZoneRow(zone, anchors.get(id(zone), ""), _tone(zone.verdict, view), bars, changes, reason))
    return tuple(rows)


def _short_reason(zone: ZoneView) -> str:
    """The names of the broken guards are enough where their messages follow."""
    return f"breaks {', '.join(guard.rule for guard in zone.guards)}" if zone.guards else zone.reason


def _bars(drift: DriftView, most: int) -> tuple[Bar, ...]:
    """Bars after each other, in per cent of the zone with the most changes."""
    bars, left = [], 0.0
    least = 100 / 60
    for (_name, tone, _sign), count in zip(CHANGES, (drift.creates, drift.updates, drift.deletes)):
        if count:
            width = min(max(least, 100 * count / most), 100 - left)
            bars.append(Bar(tone, round(left, 2), round(width, 2)))
            left += width
    return tuple(bars)


# -- details -------------------------------------------------------------------------------------------------------------


def _cards(zones: t.Sequence[ZoneView], view: ReconciliationView) -> tuple[ZoneCard, ...]:
    """Sections of as many zones as fit; the more there are, the fewer records each may show."""
    budget = SizeBudget(MAX_DETAIL_BYTES)
    cards: list[ZoneCard] = []
    for zone in zones:
        card = _card(zone, f"zone-{len(cards) + 1}", view)
        if not budget.take(CARD_BYTES, *_texts(card)):
            break
        cards.append(card)
    # all of the explanations before any of the records
    return tuple(_with_records(card, budget, len(cards), len(cards) - number) for number, card in enumerate(cards))


def _texts(card: ZoneCard) -> t.Iterator[str]:
    """All texts of a section without its records, as often as they stand there."""
    yield from (card.zone.zone, card.zone.zone, card.zone.zone, card.reason)
    if card.failure:
        yield from (card.failure.code, card.failure.message, card.failure.hint)
    for guard in card.guards:
        yield from (guard.rule, guard.message)


def _card(zone: ZoneView, anchor: str, view: ReconciliationView) -> ZoneCard:
    effect = {"exact": "as planned", "other_sync": "made by another sync"}.get(zone.fidelity, zone.fidelity)
    facts = (
        formats.changed_text(zone.changed, view.check_mode),
        formats.seconds(zone.elapsed),
        f"{zone.requests} requests",
        f"effect {effect}" if effect else "",
        f"{zone.residual} record sets still differ" if zone.residual else "",
    )
    return ZoneCard(
        zone=zone,
        anchor=anchor,
        tone=_tone(zone.verdict, view),
        facts=tuple(filter(None, facts)),
        guards=tuple(BrokenRule(guard.rule, formats.clip(guard.message, MAX_TEXT)) for guard in zone.guards),
        failure=_clipped(zone.failure),
        digest=zone.drift.digest if any(guard.rule in APPROVABLE for guard in zone.guards) else "",
        needs_more_than_approval=any(guard.rule not in APPROVABLE for guard in zone.guards),
        reason=formats.clip(zone.reason, MAX_TEXT),
    )


def _clipped(failure: ReportedFailure | None) -> ReportedFailure | None:
    if failure is None:
        return None
    return ReportedFailure(*(formats.clip(text, MAX_TEXT) for text in dataclasses.astuple(failure)))


def _with_records(card: ZoneCard, budget: SizeBudget, cards: int, cards_to_come: int) -> ZoneCard:
    """The section with its share of what is left of the budget."""
    drift = card.zone.drift
    share = SizeBudget(budget.left // cards_to_come)
    before = share.left
    records = _records(drift.records, share)
    budget.left -= before - share.left
    more = max(len(drift.records), drift.changes if drift.records else 0) - len(records)
    unfolded = cards <= MAX_OPEN_CARDS and len(records) <= MAX_OPEN_RECORDS and card.zone.verdict != "reconciled"
    return dataclasses.replace(card, records=records, more=more, open=unfolded)


def _records(records: t.Iterable[RecordView], budget: SizeBudget) -> tuple[ShownRecord, ...]:
    shown: list[ShownRecord] = []
    for record in records:
        before, after = _side(record.before), _side(record.after)
        values = [value for side in (before, after) if side for value in side.records]
        if len(shown) >= MAX_RECORDS or not budget.take(RECORD_BYTES + VALUE_BYTES * len(values), record.name, *values):
            break
        tone, sign = _SIGNS.get(record.action, ("none", ""))
        shown.append(ShownRecord(record, tone, sign, before, after))
    return tuple(shown)


def _side(side: RecordSide | None) -> ShownSide | None:
    if side is None:
        return None
    shown = tuple(formats.clip(value, MAX_VALUE) for value in side.records[:MAX_VALUES])
    return ShownSide(shown, len(side.records) - len(shown), side.ttl)
