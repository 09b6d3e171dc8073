# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a promotion as an HTML page. Pure functions on the report."""

from __future__ import annotations

import typing as t

from . import page as _page
from .page import Json
from .promotion_view import PROBE_STAGES, actor_of, advice, counts_of, handle_json, probe_facts, probe_rows, steps_of

#: the least share of the time scale, in per cent, that is still seen
LEAST_BAR = 0.7

_TEMPLATE = _page.compiled(
    """\
{% extends "frame" %}
{% block main %}
{% import "parts" as ui %}
{% if counts %}
{{ ui.counts(counts) }}
{% endif %}
{% if advice %}
<section aria-labelledby="todo">
<h2 id="todo">What to do now</h2>
<ul class="steps">
{% for item in advice %}
<li><p>{% if item.target %}<strong>{{ item.target }}:</strong> {% endif %}{{ item.text }}</p>
{% if item.code %}
<pre>{{ item.code }}</pre>
{% endif %}
</li>
{% endfor %}
</ul>
</section>
{% endif %}
{% if notes %}
<section aria-labelledby="notes">
<h2 id="notes">Warnings and overrides</h2>
{% for label, text, tone in notes %}
<div class="note {{ tone }}"><p class="body"><strong>{{ label }}:</strong> {{ text }}</p></div>
{% endfor %}
</section>
{% endif %}
{% if phases %}
<section aria-labelledby="timeline">
<h2 id="timeline">Timeline</h2>
<table class="flow">
<caption>Phases in the order of their start; the bars show when and how long within {{ scale | seconds }}</caption>
<thead><tr><th scope="col">Phase</th><th scope="col">Target</th><th scope="col">State</th><th scope="col">Start</th>\
<th scope="col" class="num">Took</th><th scope="col">Time</th><th scope="col">Reason</th></tr></thead>
<tbody>
{% for phase in phases %}
<tr>
<th scope="row">{{ phase.phase }}</th>
<td class="name{{ '' if phase.target or phase.wave else ' blank' }}" data-label="Target">{{ phase.target }}\
{% if phase.wave %} <span class="muted nowrap">wave {{ phase.wave }}</span>{% endif %}</td>
<td data-label="State"><span>{{ ui.badge(phase.state) }}</span></td>
<td class="nowrap" data-label="Start">{{ phase.started_at | clock_time }}</td>
<td class="num" data-label="Took">{{ phase.elapsed | seconds }}</td>
<td class="bar{{ '' if phase.width else ' blank' }}" data-label="Time">
{% if phase.width %}
<svg aria-hidden="true"><rect class="track" width="100%" height="100%"/>\
<rect class="{{ phase.state | tone }}" x="{{ phase.left }}%" width="{{ phase.width }}%" height="100%"/></svg>
{% endif %}
</td>
<td class="reason{{ '' if phase.reason else ' blank' }}" data-label="Reason">{{ phase.reason }}</td>
</tr>
{% endfor %}
</tbody>
</table>
</section>
{% endif %}
{% if targets | length > 1 %}
<section aria-labelledby="targets">
<h2 id="targets">Targets</h2>
<table class="flow">
<caption class="hidden">{{ targets | length }} targets in the order in which they are promoted</caption>
<thead><tr><th scope="col">Target</th><th scope="col" class="num">Wave</th><th scope="col">Verdict</th>\
<th scope="col">Reason</th></tr></thead>
<tbody>
{% for target in targets %}
<tr>
<th scope="row" class="name"><a href="#target-{{ loop.index }}">{{ target.data.name }}</a></th>
<td class="num" data-label="Wave"><span class="only-narrow">wave </span>{{ target.data.wave }}</td>
<td data-label="Verdict"><span>{{ ui.badge(target.data.verdict) }}</span></td>
<td class="reason most{{ '' if target.data.reason else ' blank' }}" data-label="Reason">{{ target.data.reason }}</td>
</tr>
{% endfor %}
</tbody>
</table>
</section>
{% endif %}
{% for target in targets %}
<section aria-labelledby="target-{{ loop.index }}">
<div class="title"><h2 id="target-{{ loop.index }}">{{ target.data.name }}</h2>{{ ui.badge(target.data.verdict) }}
<span class="muted small">{{ target.data.provider }} · <span class="long">{{ target.data.target }}</span> \
· wave {{ target.data.wave }} · {{ target.changed }}</span></div>
{% if target.data.reason and not target.reason_shown %}
<p class="long">{{ target.data.reason }}</p>
{% endif %}
{% if target.data.failure %}
{{ ui.failure(target.data.failure) }}
{% endif %}
{% if target.data.resumed %}
<div class="note info"><p class="body"><strong>Resumed:</strong> goes on with <code>{{ target.data.resumed.run }}</code> \
at {{ target.data.resumed.phase | words }}, begun {{ target.data.resumed.started_at | date_time }}</p></div>
{% endif %}
{% if target.steps %}
<h3>Steps</h3>
<table class="flow">
<caption class="hidden">Steps for {{ target.data.name }}</caption>
<thead><tr><th scope="col">Step</th><th scope="col">State</th><th scope="col" class="num">Took</th><th scope="col">Details</th>\
</tr></thead>
<tbody>
{% for step in target.steps %}
<tr>
<th scope="row">{{ step.name }}</th>
<td data-label="State"><span>{{ ui.badge(step.state, step.tone) }}</span></td>
<td class="num{{ '' if step.elapsed | seconds else ' blank' }}" data-label="Took">{{ step.elapsed | seconds }}</td>
<td class="reason most" data-label="Details"><div>
{% if step.reason %}
<p>{{ step.reason }}</p>
{% endif %}
{% if step.facts %}
<p class="muted small">{% for fact in step.facts %}{{ ' · ' if not loop.first }}<span>{{ fact }}</span>{% endfor %}</p>
{% endif %}
{% for note in step.notes %}
<p class="small">{{ note }}</p>
{% endfor %}
{% if step.failure %}
{{ ui.failure(step.failure) }}
{% endif %}
{% if step.handle %}
<details><summary class="small">Handle of the run</summary>
<pre>{{ step.handle }}</pre></details>
{% endif %}
</div></td>
</tr>
{% endfor %}
</tbody>
</table>
{% endif %}
{% if target.data.checks %}
<details{% if target.checks_open %} open="open"{% endif %}>
<summary>{{ target.checks_text }}</summary>
<table class="flow">
<caption class="hidden">Checks before anything is changed</caption>
<thead><tr><th scope="col">Check</th><th scope="col">Result</th><th scope="col">Finding</th></tr></thead>
<tbody>
{% for check in target.data.checks %}
<tr>
<th scope="row" class="name">{{ check.name | words }}</th>
<td data-label="Result"><span>{% if check.ok is none %}{{ ui.badge('not known', 'none') }}{% elif check.ok %}\
{{ ui.badge('ok') }}{% else %}{{ ui.badge('failed') }}{% endif %}</span></td>
<td class="reason most" data-label="Finding">{{ check.text }}</td>
</tr>
{% endfor %}
</tbody>
</table>
</details>
{% endif %}
{% if target.probes %}
<h3>Probes</h3>
<table>
<caption class="hidden">What was found at each address, before and after</caption>
<thead><tr><th scope="col">Probe</th>\
{% for stage in target.stages %}<th scope="col">{{ stage.title }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in target.probes %}
<tr>
<th scope="row" class="name">{{ row.name }}
<p class="muted small"><code>{{ row.url }}</code></p>
{% if row.was_failing %}
<span class="badge warn"><span aria-hidden="true">!</span> was failing before</span>
{% endif %}
{% if row.regression %}
<span class="badge bad"><span aria-hidden="true">✕</span> was ok before</span>
{% endif %}
</th>
{% for cell in row.cells %}
<td class="reason{{ '' if cell else ' blank' }}" data-label="{{ target.stages[loop.index0].title }}">
{% if cell %}
<div>{{ ui.badge('ok' if cell.probe.ok else 'failed') }} <span class="small">{{ cell.facts | join(' · ') }}</span>
{% if cell.probe.problems %}
<ul class="plain small">
{% for problem in cell.probe.problems %}
<li>{{ problem }}</li>
{% endfor %}
</ul>
{% endif %}
{% if cell.probe.url != row.url %}
<p class="muted small"><code>{{ cell.probe.url }}</code></p>
{% endif %}
</div>
{% else %}
<span class="muted">–</span>
{% endif %}
</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
{% endif %}
</section>
{% endfor %}
{% endblock %}
"""
)


def promotion_page(report: Json) -> str:
    """The report of a promotion as one HTML page that needs nothing else.

    :param report: as role ``staging_promotion`` writes it.
    """
    release = report.get("release")
    verdict = _page.words(report.get("verdict"))
    started, finished = report.get("started_at"), report.get("finished_at")
    elapsed = report.get("elapsed")
    summary = report.get("summary") or {}
    facts = (
        ("Release", release),
        ("Started", _page.date_time(started)),
        ("Finished", _page.date_time(finished)),
        ("Took", _page.seconds(_page.took(report) if elapsed is None else elapsed)),
        ("Run by", actor_of(report)),
        ("Requests sent", summary.get("requests")),
        ("Run", report.get("run")),
        ("Digest of the plan", report.get("digest")),
    )
    phases, scale = timeline(report)
    return _page.render(
        _TEMPLATE,
        report,
        "Promotion of staging to production",
        f"Promotion {verdict}: {release or report.get('run')}",
        facts,
        counts=[(word, number, _page.tone(word)) for word, number in counts_of(report)],
        advice=advice(report),
        notes=_notes(report),
        phases=phases,
        scale=scale,
        targets=[_target(target, report) for target in report.get("targets") or ()],
    )


def timeline(report: Json) -> tuple[list[dict[str, t.Any]], float]:
    """The phases with ``left`` and ``width`` in per cent of the time scale, and the scale in seconds.

    ``width`` is 0 where the times of a phase are not known, or nothing was done.
    """
    phases = [dict(phase) for phase in report.get("phases") or ()]
    spans = [_span(phase) for phase in phases]
    known = [span for span in spans if span]
    origin = min((start for start, _length in known), default=0.0)
    scale = max((start + length - origin for start, length in known), default=0.0)
    for phase, span in zip(phases, spans):
        phase["left"] = phase["width"] = 0
        if span and scale and phase.get("state") != "skipped":
            start, length = span
            width = max(LEAST_BAR, 100 * length / scale)
            phase["left"] = round(min(100 * (start - origin) / scale, 100 - width), 2)
            phase["width"] = round(width, 2)
    return phases, scale


def _span(phase: Json) -> tuple[float, float] | None:
    """Start as seconds since the epoch, and length in seconds."""
    start, elapsed = _page.moment(phase.get("started_at")), phase.get("elapsed")
    if start is None or not isinstance(elapsed, (int, float)) or not 0 <= elapsed < 1e9:
        return None
    return start.timestamp(), float(elapsed)


def _notes(report: Json) -> list[tuple[str, str, str]]:
    notes = [("Override", report["override_reason"], "warn")] if report.get("override_reason") else []
    if report.get("lifted_hold"):
        notes.append(("Hold lifted", report["lifted_hold"], "warn"))
    if report.get("error") and str(report["error"]) not in str(report.get("message")):
        notes.append(("Error", report["error"], "bad"))
    return notes + [("Warning", text, "warn") for text in report.get("warnings") or ()]


def _target(target: Json, report: Json) -> dict[str, t.Any]:
    failure = target.get("failure") or {}
    steps = steps_of(target)
    checks = target.get("checks") or ()
    failed = sum(check.get("ok") is False for check in checks)
    rows = probe_rows(target)
    used = [key for key, _title in PROBE_STAGES if any(row["probes"].get(key) for row in rows)]
    texts = [failure.get("message"), *(step["reason"] for step in steps)]
    return {
        "data": target,
        "changed": _page.changed_text(target.get("changed"), report),
        "reason_shown": target.get("reason") in texts,
        "steps": [_shown(step, failure) for step in steps],
        "checks_open": failed > 0,
        "checks_text": f"{len(checks)} checks, {f'{failed} failed' if failed else 'none failed'}",
        "stages": [{"key": key, "title": title} for key, title in PROBE_STAGES if key in used],
        "probes": [{**row, "cells": [_cell(row["probes"].get(key)) for key in used]} for row in rows],
    }


def _shown(step: dict[str, t.Any], failure: Json) -> dict[str, t.Any]:
    # the failure of the target is shown above its steps already
    own = step["failure"] if step["failure"] and step["failure"].get("message") != failure.get("message") else None
    return {**step, "elapsed": step["elapsed"] or None, "failure": own, "handle": handle_json(step["handle"])}


def _cell(probe: Json | None) -> dict[str, t.Any] | None:
    return {"probe": probe, "facts": probe_facts(probe)} if probe else None
