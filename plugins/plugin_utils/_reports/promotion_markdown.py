# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The report of a promotion as Markdown. Pure functions on the report."""

from __future__ import annotations

import re
import typing as t

from . import page as _page
from .page import Json
from .promotion_view import PROBE_STAGES, actor_of, advice, handle_json, probe_facts, probe_rows, steps_of


def promotion_markdown(report: Json) -> str:
    """The report of a promotion as Markdown.

    :param report: as role ``staging_promotion`` writes it.
    """
    targets = report.get("targets") or ()
    parts = [
        f"# Promotion: {_page.words(report.get('verdict'))}",
        paragraph(_page.message_of(report)),
        _facts(report),
        *_advice(report),
        *_warnings(report),
        *_timeline(report),
        *(_section("Targets", _overview(report)) if len(targets) > 1 else []),
    ]
    for target in targets:
        parts += _target(target, report)
    return "\n\n".join(part for part in parts if part) + "\n"


def line(value: t.Any) -> str:
    """Any text on one line of prose or in a cell of a table, without a meaning of its own."""
    text = " ".join(str(_page.fit_for_html("" if value is None else value)).split())
    return re.sub(r"([\\`\[\]|])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;")


def paragraph(value: t.Any) -> str:
    """Any text as a paragraph of its own, even if it begins like a heading, a list or a quotation."""
    return re.sub(r"^(\d*)([-#>*+=_~:.)])", r"\1\\\2", line(value))


def code(value: t.Any) -> str:
    """Any text as code on one line, also in a cell of a table."""
    text = " ".join(str(_page.fit_for_html("" if value is None else value)).split())
    if not text:
        return ""
    # a fence is longer than what it holds, and a pipe ends a cell even in code
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}".replace("|", "\\|")


def _block(text: str) -> str:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return "\n".join(f"  {row}" for row in [fence, *str(_page.fit_for_html(text)).splitlines(), fence])


def _table(head: t.Sequence[str], rows: t.Iterable[t.Sequence[str]], right: t.Container[str] = ()) -> str:
    rules = ["--:" if name in right else "---" for name in head]
    return "\n".join(f"| {' | '.join(row)} |".replace("  ", " ") for row in [head, rules, *rows])


def _section(title: str, *parts: str) -> list[str]:
    return [f"## {line(title)}", *parts]


def _facts(report: Json) -> str:
    elapsed, summary = report.get("elapsed"), report.get("summary") or {}
    facts = [
        ("Mode", "check, nothing was changed" if report.get("check_mode") else "promote"),
        ("Release", line(report.get("release"))),
        ("Run", code(report.get("run"))),
        ("Digest of the plan", code(report.get("digest"))),
        ("Started", line(report.get("started_at"))),
        ("Finished", line(report.get("finished_at"))),
        ("Took", _page.seconds(_page.took(report) if elapsed is None else elapsed)),
        ("Run by", line(actor_of(report))),
        *((_page.words(key).capitalize(), line(value)) for key, value in summary.items()),
    ]
    return _table(("", ""), [fact for fact in facts if fact[1]])


def _advice(report: Json) -> list[str]:
    rows = []
    for item in advice(report):
        target = f"**{line(item['target'])}**: " if item["target"] else ""
        rows.append(f"* {target}{line(item['text'])}" + (f"\n\n{_block(item['code'])}" if item["code"] else ""))
    return _section("What to do now", "\n".join(rows)) if rows else []


def _warnings(report: Json) -> list[str]:
    rows = [
        *([f"* **Override**: {line(report['override_reason'])}"] if report.get("override_reason") else []),
        *([f"* **Hold lifted**: {line(report['lifted_hold'])}"] if report.get("lifted_hold") else []),
        *(f"* {line(text)}" for text in report.get("warnings") or ()),
    ]
    return _section("Warnings and overrides", "\n".join(rows)) if rows else []


def _timeline(report: Json) -> list[str]:
    head = ("Phase", "Wave", "Target", "State", "Start", "Took", "Reason")
    rows = [
        (
            line(phase.get("phase")),
            line(phase.get("wave")),
            line(phase.get("target")),
            line(phase.get("state")),
            _page.clock_time(phase.get("started_at")),
            _page.seconds(phase.get("elapsed")),
            line(phase.get("reason")),
        )
        for phase in report.get("phases") or ()
    ]
    return _section("Timeline", _table(head, rows, right=("Took",))) if rows else []


def _overview(report: Json) -> str:
    head = ("Target", "Wave", "Verdict", "Changed", "Reason")
    rows = [
        (
            line(target.get("name")),
            line(target.get("wave")),
            line(_page.words(target.get("verdict"))),
            _page.changed_text(target.get("changed"), report),
            line(target.get("reason")),
        )
        for target in report.get("targets") or ()
    ]
    return _table(head, rows)


def _target(target: Json, report: Json) -> list[str]:
    where = f"{line(target.get('provider'))}, {code(target.get('target'))}, wave {line(target.get('wave'))}"
    where = f"{where}, {_page.changed_text(target.get('changed'), report)}"
    parts = [f"**{_page.words(target.get('verdict'))}** · {where}", paragraph(target.get("reason"))]
    resumed = target.get("resumed")
    if resumed:
        parts.append(f"Resumed: goes on with {code(resumed.get('run'))} at {line(resumed.get('phase'))}.")
    parts += [_failure(target.get("failure")), _steps(target), _checks(target), _probes(target)]
    return _section(target.get("name") or "", *(part for part in parts if part))


def _failure(failure: Json | None) -> str:
    if not failure:
        return ""
    status = f" (HTTP {line(failure['http_status'])})" if failure.get("http_status") else ""
    hint = f"\n\n{paragraph(failure['hint'])}" if failure.get("hint") else ""
    return f"**{line(failure.get('code'))}**{status}: {line(failure.get('message'))}{hint}"


def _steps(target: Json) -> str:
    rows = []
    for step in steps_of(target):
        texts = [line(step["reason"]), line(", ".join(step["facts"])), *map(line, step["notes"])]
        if step["handle"]:
            texts.append(f"handle {code(handle_json(step['handle']))}")
        took = _page.seconds(step["elapsed"] or None)
        rows.append((step["name"], line(_page.words(step["state"])), took, "<br>".join(text for text in texts if text)))
    return _table(("Step", "State", "Took", "Details"), rows, right=("Took",)) if rows else ""


def _checks(target: Json) -> str:
    results = {True: "ok", False: "**failed**", None: "not known"}
    rows = [
        (line(_page.words(check.get("name"))), results[check.get("ok")], line(check.get("text")))
        for check in target.get("checks") or ()
    ]
    return _table(("Check", "Result", "Finding"), rows) if rows else ""


def _probes(target: Json) -> str:
    rows = probe_rows(target)
    used = [(key, title) for key, title in PROBE_STAGES if any(key in row["probes"] for row in rows)]
    cells = []
    for row in rows:
        marks = ["was failing before"] * row["was_failing"] + ["**was ok before**"] * row["regression"]
        name = line(row["name"]) + (f" ({', '.join(marks)})" if marks else "")
        cells.append((f"{name}<br>{code(row['url'])}", *(_probe(row["probes"].get(key), row["url"]) for key, _title in used)))
    return _table(("Probe", *(title for _key, title in used)), cells) if rows else ""


def _probe(probe: Json | None, usual: t.Any) -> str:
    if not probe:
        return ""
    first = f"{'ok' if probe.get('ok') else '**failed**'}: {line(', '.join(probe_facts(probe)))}"
    other = [code(probe.get("url"))] if probe.get("url") != usual else []
    return "<br>".join([first, *map(line, probe.get("problems") or ()), *other])
