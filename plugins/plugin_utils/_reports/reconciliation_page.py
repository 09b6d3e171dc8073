# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a DNS reconciliation as an HTML page. Pure functions on the report.

A run may have a thousand zones, and a zone that lost its server a hundred thousand records to delete. So the page has a
size that browsers and mail servers bear: the zones in trouble come first, and what does not fit any more is counted.
"""

from __future__ import annotations

import re
import typing as t

import markupsafe

from ...module_utils._core.vocabulary import RECONCILIATION_VERDICTS
from . import page as _page
from .page import Json

#: characters that the zones may take on a page
ROOM = 1_900_000
#: of them, those that single records may take: the rest is for the overview of all zones
DETAIL_ROOM = 750_000
#: record sets shown of one zone
MAX_RECORDS = 300
#: records shown of one record set
MAX_VALUES = 20
#: characters shown of one value, of a reason in the overview, and of a text that explains a failure
MAX_VALUE, MAX_REASON, MAX_TEXT = 160, 240, 2000
#: characters of markup around a row of the overview, a zone with details, and a record set
ROW, CARD, RECORD = 750, 1400, 520
#: a plan is unfolded if there are so few zones with details, and so few record sets
FEW, FOLDED = 5, 20

#: counts in the report, their tone, and their sign
CHANGES = (("creates", "ok", "+"), ("updates", "info", "~"), ("deletes", "bad", "−"))
SIGNS = {key[:-1]: {"tone": tone, "sign": sign} for key, tone, sign in CHANGES}

_TEMPLATE = _page.compiled(
    """\
{% extends "frame" %}
{% import "parts" as ui %}

{% macro numbers(drift) -%}
<span class="nowrap">+{{ drift.creates }} ~{{ drift.updates }} −{{ drift.deletes }}</span>
{%- endmacro %}

{% macro overview(rows, caption) -%}
<table class="flow">
<caption>{{ caption }}</caption>
<thead><tr><th scope="col">Zone</th><th scope="col">Verdict</th><th scope="col">Changes</th>\
<th scope="col" class="num">Took</th><th scope="col">Reason</th></tr></thead>
<tbody>
{% for row in rows %}
<tr><th scope="row" class="zone">\
{% if row.anchor %}<a href="#{{ row.anchor }}">{{ row.zone }}</a>{% else %}{{ row.zone }}{% endif %}</th>
<td data-label="Verdict"><span>{{ ui.badge(row.verdict, row.tone) }}</span></td>
{% if row.bars %}
<td class="drift" data-label="Changes"><div>{{ numbers(row.drift) }}
<svg aria-hidden="true"><rect class="track" width="100%" height="100%"/>\
{% for bar in row.bars %}<rect class="{{ bar.tone }}" x="{{ bar.left }}%" width="{{ bar.width }}%" height="100%"/>{% endfor %}\
</svg></div></td>
{% else %}
<td class="drift muted{{ '' if row.changes else ' blank' }}" data-label="Changes">{{ row.changes }}</td>
{% endif %}
<td class="num" data-label="Took">{{ row.elapsed | seconds }}</td>
<td class="reason small" data-label="Reason">{{ row.reason }}</td></tr>
{% endfor %}
</tbody>
</table>
{%- endmacro %}

{% macro side(value) -%}
{% if value %}{% for item in value.records %}<code>{{ item }}</code>{{ ', ' if not loop.last }}{% endfor %} \
<span class="muted small nowrap">TTL {{ value.ttl }}{% if value.more %} · {{ value.more }} more{% endif %}</span>
{% else %}<span class="muted">–</span>{% endif %}
{%- endmacro %}

{% block main %}
{{ ui.counts(counts) }}
{% if batch_refusal %}
<div class="note warn"><p><strong>No zone was synced</strong></p><p class="body">{{ batch_refusal }}</p></div>
{% endif %}
{% if rows %}
<section aria-labelledby="zones">
<h2 id="zones">{{ 'Zones' if not calm else 'Zones that differ or are in trouble' }}</h2>
{{ ui.counts(changes) }}
{{ overview(rows, 'The worst first; record sets that a sync creates (+), updates (~) and deletes (−), including the SOA') }}
{% if left_out %}
<p class="muted small">{{ left_out }} more of these zones are in the JSON report only.</p>
{% endif %}
</section>
{% endif %}
{% if calm %}
<section aria-labelledby="calm">
<h2 id="calm">Zones in sync</h2>
<details{% if not rows %} open="open"{% endif %}>
<summary>{{ calm_total }} {{ 'zone needs' if calm_total == 1 else 'zones need' }} nothing</summary>
{{ overview(calm, 'Zones that have the record sets of their DNS server') }}
{% if calm_total > calm | length %}
<p class="muted small">{{ calm_total - calm | length }} more zones in sync are in the JSON report only.</p>
{% endif %}
</details>
</section>
{% endif %}
{% for card in cards %}
<section aria-labelledby="{{ card.anchor }}">
<div class="title"><h2 id="{{ card.anchor }}">{{ card.zone }}</h2>{{ ui.badge(card.verdict, card.tone) }}
<span class="muted small">{{ card.facts | join(' · ') }}</span></div>
{% if card.guards %}
<div class="note warn">
<p><strong>Refused by {{ card.guards | length }} {{ 'guard' if card.guards | length == 1 else 'guards' }}</strong></p>
<ul class="plain body">
{% for rule, text in card.guards %}
<li><code>{{ rule }}</code>{% if text %}: {{ text }}{% endif %}</li>
{% endfor %}
</ul>
{% if card.hint %}
<p class="body"><strong>What to do:</strong> {{ card.hint }}</p>
{% endif %}
{% if card.digest %}
<p class="body">If exactly this plan is right, approve it{{ '; that does not lift the other guards' if card.other_guards }}:</p>
<pre class="body">dns_reconciliation_approve: {"{{ card.zone }}": "{{ card.digest }}"}</pre>
{% endif %}
</div>
{% elif card.failure %}
{{ ui.failure(card.failure) }}
{% elif card.reason %}
<p class="long">{{ card.reason }}</p>
{% endif %}
{% if card.records %}
<details{% if card.open %} open="open"{% endif %}>
<summary>Plan: {{ numbers(card.drift) }}{{ ', serial ' if card.drift.serial is not none }}{{ card.drift.serial }}</summary>
{% if card.drift.digest %}
<p class="muted small">Digest of the plan <code>{{ card.drift.digest }}</code></p>
{% endif %}
<table class="flow">
<caption class="hidden">Record sets of {{ card.zone }} that differ</caption>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Action</th><th scope="col">In VinylDNS</th>\
<th scope="col">In DNS</th></tr></thead>
<tbody>
{% for record in card.records %}
<tr><th scope="row" class="name"><code>{{ record.name }}</code></th><td class="type" data-label="Type">{{ record.type }}</td>
<td data-label="Action"><span class="badge {{ record.tone }}"><span aria-hidden="true">{{ record.sign }}</span> \
{{ record.text }}</span></td>
<td class="side long" data-label="In VinylDNS"><div>{{ side(record.before) }}</div></td>
<td class="side long" data-label="In DNS"><div>{{ side(record.after) }}</div></td></tr>
{% endfor %}
</tbody>
</table>
{% if card.more %}
<p class="muted small">{{ card.more }} more record sets that differ are in the JSON report only.</p>
{% endif %}
</details>
{% elif card.more %}
<p class="muted small">{{ card.more }} record sets that differ are in the JSON report only.</p>
{% endif %}
</section>
{% endfor %}
{% if cards_left_out %}
<p class="muted small">The details of {{ cards_left_out }} more zones are in the JSON report only.</p>
{% endif %}
{% endblock %}
"""
)


class Room:
    """What is left of the size of a page."""

    def __init__(self, characters: int) -> None:
        self.left = characters

    def take(self, markup: int, *texts: t.Any) -> bool:
        """Whether ``markup`` characters with these texts, escaped, still fit; if they do, they are taken."""
        needed = markup + sum(len(markupsafe.escape(str(text)).encode("utf-8", "replace")) for text in texts)
        if needed > self.left:
            return False
        self.left -= needed
        return True


def reconciliation_page(report: Json) -> str:
    """The report of a reconciliation as one HTML page that needs nothing else, of less than 2 MB.

    :param report: as role ``dns_reconciliation`` writes it.
    """
    summary = report.get("summary") or {}
    zones = sorted(report.get("zones") or (), key=_rank)
    telling = [zone for zone in zones if _needs_words(zone)]
    troubled = [zone for zone in zones if zone.get("verdict") != "in_sync"]
    calm = [zone for zone in zones if zone.get("verdict") == "in_sync"]

    room = Room(ROOM - DETAIL_ROOM)
    tone_of_drift = "info" if report.get("ok") else "warn"
    most = max((sum(_drift_counts(zone)) for zone in zones), default=0)
    cards = _cards(telling, tone_of_drift, report)
    anchors = {id(zone): card["anchor"] for zone, card in zip(telling, cards)}
    rows = _rows(troubled, room, tone_of_drift, most, anchors)
    calm_rows = _rows(calm, room, tone_of_drift, most, anchors)
    return _page.render(
        _TEMPLATE,
        report,
        "Reconciliation of VinylDNS with DNS",
        f"DNS reconciliation {_page.words(report.get('verdict'))}: {len(zones)} {'zone' if len(zones) == 1 else 'zones'}",
        (
            ("Zones", len(zones)),
            ("Started", _page.date_time(report.get("started_at"))),
            ("Finished", _page.date_time(report.get("finished_at"))),
            ("Took", _page.seconds(_page.took(report))),
            ("Requests sent", summary.get("requests")),
        ),
        tone=_tone(report.get("verdict"), tone_of_drift),
        counts=[
            (word, summary[word], _tone(word, tone_of_drift)) for word in reversed(RECONCILIATION_VERDICTS) if summary.get(word)
        ],
        changes=[(word, summary[word], tone) for word, tone, _sign in CHANGES if summary.get(word)],
        rows=rows,
        batch_refusal=_page.clip(report.get("batch_refusal") or "", MAX_TEXT),
        left_out=len(troubled) - len(rows),
        calm=calm_rows,
        calm_total=len(calm),
        cards=cards,
        cards_left_out=len(telling) - len(cards),
    )


def _rank(zone: Json) -> int:
    """The worst first, otherwise as they were given."""
    verdict = zone.get("verdict")
    return -RECONCILIATION_VERDICTS.index(verdict) if verdict in RECONCILIATION_VERDICTS else -len(RECONCILIATION_VERDICTS)


def _tone(verdict: t.Any, tone_of_drift: str) -> str:
    return tone_of_drift if verdict == "drift" else _page.tone(verdict)


def _drift_counts(zone: Json) -> list[int]:
    drift = zone.get("drift") or {}
    return [int(drift.get(key) or 0) for key, _tone_name, _sign in CHANGES]


def _needs_words(zone: Json) -> bool:
    return bool(zone.get("failure") or (zone.get("drift") or {}).get("records") or zone.get("verdict") != "in_sync")


# -- overview ------------------------------------------------------------------------------------------------------------


def _rows(
    zones: t.Sequence[Json], room: Room, tone_of_drift: str, most: int, anchors: t.Mapping[int, str]
) -> list[dict[str, t.Any]]:
    rows = []
    for zone in zones:
        reason = _page.clip(_short_reason(zone), MAX_REASON)
        if not room.take(ROW, zone.get("zone"), reason):
            break
        known = "creates" in (zone.get("drift") or {})
        bars = _bars(_drift_counts(zone), most) if known else []
        rows.append(
            {
                "zone": zone.get("zone"),
                "anchor": anchors.get(id(zone)),
                "verdict": zone.get("verdict"),
                "tone": _tone(zone.get("verdict"), tone_of_drift),
                "drift": zone.get("drift") or {},
                "bars": bars,
                "changes": "" if bars else "none" if known else "not known",
                "elapsed": zone.get("elapsed"),
                "reason": reason,
            }
        )
    return rows


def _short_reason(zone: Json) -> str:
    """The names of the broken guards are enough where their messages follow."""
    refused = (zone.get("failure") or {}).get("code") == "guard_refused" and zone.get("guards")
    return f"breaks {', '.join(map(str, zone['guards']))}" if refused else str(zone.get("reason") or "")


def _bars(counts: t.Sequence[int], most: int) -> list[dict[str, t.Any]]:
    """Bars after each other, in per cent of the zone with the most changes."""
    bars, left = [], 0.0
    least = 100 / 60
    for (_key, tone, _sign), count in zip(CHANGES, counts):
        if count:
            width = min(max(least, 100 * count / most), 100 - left)
            bars.append({"tone": tone, "left": round(left, 2), "width": round(width, 2)})
            left += width
    return bars


# -- details -------------------------------------------------------------------------------------------------------------


def _cards(zones: t.Sequence[Json], tone_of_drift: str, report: Json) -> list[dict[str, t.Any]]:
    """Details of the zones, as many as there is room for; with less records for each, the more zones there are."""
    room = Room(DETAIL_ROOM)
    cards: list[dict[str, t.Any]] = []
    for zone in zones:
        card = _card(zone, f"zone-{len(cards) + 1}", tone_of_drift, report)
        texts = [card["zone"], card["zone"], card["zone"], card["reason"], card["hint"], *(card["failure"] or {}).values()]
        if not room.take(CARD, *texts, *(text for guard in card["guards"] for text in guard)):
            break
        cards.append(card)
    # all of the explanations before any of the records
    for number, (card, zone) in enumerate(zip(cards, zones)):
        records = (zone.get("drift") or {}).get("records") or ()
        share = Room(room.left // (len(cards) - number))
        before = share.left
        card["records"] = _records(records, share)
        room.left -= before - share.left
        card["more"] = max(len(records), sum(_drift_counts(zone)) if records else 0) - len(card["records"])
        card["open"] = len(cards) <= FEW and len(card["records"]) <= FOLDED and zone.get("verdict") != "reconciled"
    return cards


def _card(zone: Json, anchor: str, tone_of_drift: str, report: Json) -> dict[str, t.Any]:
    failure = zone.get("failure") or {}
    drift = zone.get("drift") or {}
    guards = broken_guards(zone) if failure.get("code") == "guard_refused" else []
    fidelity = zone.get("fidelity")
    facts = [
        _page.changed_text(zone.get("changed"), report),
        _page.seconds(zone.get("elapsed")),
        f"{zone.get('requests') or 0} requests",
        f"effect {'as planned' if fidelity == 'exact' else fidelity}" if fidelity else "",
        f"{len(zone['residual'])} record sets still differ" if zone.get("residual") else "",
    ]
    return {
        "anchor": anchor,
        "zone": zone.get("zone"),
        "verdict": zone.get("verdict"),
        "tone": _tone(zone.get("verdict"), tone_of_drift),
        "facts": [fact for fact in facts if fact],
        "guards": [(rule, _page.clip(text, MAX_TEXT)) for rule, text in guards],
        "failure": {key: value and _page.clip(value, MAX_TEXT) for key, value in failure.items()},
        "hint": _page.clip(failure.get("hint") or "", MAX_TEXT),
        "digest": drift.get("digest") if any(rule in APPROVABLE for rule, _text in guards) else None,
        "other_guards": any(rule not in APPROVABLE for rule, _text in guards),
        "reason": _page.clip(zone.get("reason") or "", MAX_TEXT),
        "drift": {key: drift.get(key) for key in ("creates", "updates", "deletes", "serial", "digest")},
    }


#: guards that an approved plan may break
APPROVABLE = ("max_delete_percent", "max_update_percent", "max_deletes")


def broken_guards(zone: Json) -> list[tuple[str, str]]:
    """Name and message of each guard that a refused zone breaks."""
    failure = zone.get("failure") or {}
    names = [str(name) for name in zone.get("guards") or ()]
    message = str(failure.get("message") or "")
    text = message.partition("refused by guard: ")[2]
    # the messages are one text, in which each begins with the name of its guard
    parts = re.split(rf"(?:^|; )({'|'.join(map(re.escape, names))}): ", text) if names else []
    found = [(rule, part.strip()) for rule, part in zip(parts[1::2], parts[2::2])]
    return found + [(name, "") for name in names if name not in dict(found)] or [(str(failure.get("code")), message)]


def _records(records: t.Iterable[Json], room: Room) -> list[dict[str, t.Any]]:
    shown: list[dict[str, t.Any]] = []
    for record in records:
        before, after = _side(record.get("before")), _side(record.get("after"))
        values = [value for side in (before, after) if side for value in side["records"]]
        if len(shown) >= MAX_RECORDS or not room.take(RECORD + 18 * len(values), record.get("name"), *values):
            break
        action = str(record.get("action"))
        shown.append(
            {
                "name": record.get("name"),
                "type": record.get("type"),
                "action": action,
                **SIGNS.get(action, {}),
                "text": f"{action} (ignored)" if record.get("ignored") else action,
                "before": before,
                "after": after,
            }
        )
    return shown


def _side(side: Json | None) -> dict[str, t.Any] | None:
    if not side:
        return None
    values = side.get("records") or ()
    shown = [_page.clip(value, MAX_VALUE) for value in values[:MAX_VALUES]]
    return {"records": shown, "more": len(values) - len(shown), "ttl": side.get("ttl")}
