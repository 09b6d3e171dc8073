# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The probes of a target before and after its promotion, side by side."""

from __future__ import annotations

import dataclasses
import typing as t

from . import formats
from .fields import Fields

#: where probes are in the record of a target, and the titles of these stages
PROBE_STAGES = (("staging", "Staging"), ("before", "Before"), ("after", "After"), ("rollback", "After rollback"))

#: a certificate that ends sooner than this many days is mentioned as ending
CERTIFICATE_DAYS = 14


@dataclasses.dataclass(frozen=True)
class ProbeView:
    """The result of a probe.

    :param facts: status, latency, attempts and certificate, in short.
    :param was_ok: the result before the sync; None if it is not known.
    """

    url: str
    ok: bool
    was_ok: bool | None
    failed: bool
    facts: tuple[str, ...]
    problems: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class ProbeRow:
    """A probe at all stages.

    :param url: that of the latest stage at which production was probed.
    :param probes: by the keys of :data:`PROBE_STAGES`.
    """

    name: str
    url: str
    probes: t.Mapping[str, ProbeView]
    was_failing: bool
    regression: bool


def probe_rows(target: Fields) -> list[ProbeRow]:
    """The probes of a target, by name in the order in which they first appear."""
    verify = target.child("verify")
    after_rollback = target.child("rollback").child("verify")
    stages = {
        "staging": target.children("staging"),
        "before": target.children("before"),
        "after": verify.children("probes"),
        "rollback": after_rollback.children("probes"),
    }
    rows: dict[str, dict[str, ProbeView]] = {}
    for key, probes in stages.items():
        for probe in probes:
            rows.setdefault(probe.text("name"), {}).setdefault(key, _probe(probe))
    already = {*verify.texts("already_failing"), *after_rollback.texts("already_failing")}
    worse = {*verify.texts("regressions"), *after_rollback.texts("regressions")}
    return [_row(name, probes, name in already, name in worse) for name, probes in rows.items()]


def _row(name: str, probes: t.Mapping[str, ProbeView], already_failing: bool, regression: bool) -> ProbeRow:
    before = probes.get("before")
    later = [probes[key] for key in ("after", "rollback") if key in probes]
    was_failing = already_failing or (before is not None and before.failed) or any(probe.was_ok is False for probe in later)
    urls = [probe.url for probe in (later[-1] if later else before, *probes.values()) if probe is not None]
    return ProbeRow(name, next(filter(None, urls), ""), probes, was_failing, regression)


def _probe(probe: Fields) -> ProbeView:
    return ProbeView(
        url=probe.text("url"),
        ok=probe.flag("ok"),
        was_ok=probe.known_flag("was_ok"),
        failed=probe.known_flag("ok") is False,
        facts=tuple(filter(None, _facts(probe))),
        problems=probe.texts("problems"),
    )


def _facts(probe: Fields) -> list[str]:
    return [
        probe.text("status") or "no answer",
        formats.milliseconds(probe.get("latency")),
        _attempts(probe.count("attempts"), probe.count("consecutive")),
        _certificate(probe),
    ]


def _attempts(attempts: int, consecutive: int) -> str:
    if attempts < 2:
        return ""
    if not consecutive:
        return f"{attempts} attempts"
    return f"{consecutive} in a row" if consecutive >= attempts else f"last {consecutive} of {attempts} ok"


def _certificate(probe: Fields) -> str:
    days = probe.number("certificate_days")
    if days is None:
        return ""
    if days < 0:
        return "certificate expired"
    return f"certificate {'ends in ' if days < CERTIFICATE_DAYS else ''}{formats.plural(days, 'day')}"
