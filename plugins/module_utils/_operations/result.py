# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Results: one record per target with every field always present, a summary, and a size that AWX keeps."""

from __future__ import annotations

import collections.abc
import functools
import json
import typing as t

from .._core.redact import Redactor
from .._core.vocabulary import WORDS
from .._lifecycle.record import Record

#: AWX drops an event above 700 kB; with this much per target a thousand targets fit
BYTES_PER_TARGET = 600
#: above this total size no messages of guards are kept
EVENT_BYTES = 640 * 1000
#: below this total size nothing is cut
FREE_BYTES = 64 * 1024
#: what all diffs of a task may have together
DIFF_BYTES = 100 * 1024
#: to how many entries lists are shortened, step by step, until the result fits
LIST_LIMITS = (300, 100, 30, 10)
#: characters of a text that are left when that was not enough
MAX_TEXT = 160


def summarize(records: t.Sequence[Record], requests: int, elapsed: float, tolerate_timeout: bool) -> dict[str, t.Any]:
    """The ``summary`` of a result.

    :param requests: all HTTP requests sent, also those that belong to no single target.
    :param tolerate_timeout: whether a timed-out target does not count as failed (``on_timeout: warn``).
    """

    def count(test: t.Callable[[Record], bool]) -> int:
        return sum(1 for record in records if test(record))

    return {
        "targets": len(records),
        "triggered": count(lambda record: record.action == "triggered"),
        "joined": count(lambda record: record.action == "joined"),
        "skipped": count(lambda record: record.action == "skipped"),
        "refused": count(lambda record: record.action == "refused"),
        "succeeded": count(lambda record: record.state == "succeeded"),
        "failed": count(lambda record: is_failed(record, tolerate_timeout)),
        "timed_out": count(lambda record: record.timed_out),
        "requests": requests,
        "elapsed": round(elapsed, 3),
    }


def is_failed(record: Record, tolerate_timeout: bool) -> bool:
    """Whether a record fails the task."""
    return record.failure is not None and not (tolerate_timeout and record.failure.code == "timed_out")


#: fields of a record that only hold words of our own, numbers and dates
_OWN_FIELDS = ("provider", "action", "state", "changed_basis", "started_at", "finished_at")


def scrub_record(entry: dict[str, t.Any], redactor: Redactor) -> dict[str, t.Any]:
    """A record without secrets, in which words of our own, the target and the handle stay usable."""
    scrubbed: dict[str, t.Any] = redactor.scrub(entry)
    return {
        **scrubbed,
        **{name: entry[name] for name in _OWN_FIELDS},
        "failure": scrub_failure(entry["failure"], redactor),
    }


def scrub_failure(failure: dict[str, t.Any] | None, redactor: Redactor) -> dict[str, t.Any] | None:
    """A failure without secrets; its code and the rules of guards are words of our own."""
    if failure is None:
        return None
    scrubbed = {**redactor.scrub(failure), "code": failure["code"]}
    if "guards" in failure:
        scrubbed["guards"] = [{**redactor.scrub(guard), "rule": guard["rule"]} for guard in failure["guards"]]
    return scrubbed


def structural_texts(result: t.Mapping[str, t.Any]) -> list[str]:
    """The texts of a result that are identities and words of our own, so that masking parts of them would break them."""
    found: list[str] = []
    for record in result.get("syncs", ()):
        found += [record[name] for name in ("target", *_OWN_FIELDS) if record[name]]
        found += _texts(record["handle"])
        found += [record["failure"]["code"]] if record["failure"] else []
    return [*found, *WORDS]


def _texts(value: t.Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, collections.abc.Mapping) else value if isinstance(value, list) else ()
    return [text for item in inner for text in _texts(item)]


#: Makes an entry of a record, cut in some way.
Cut = t.Callable[[Record], "dict[str, t.Any]"]


def fit(records: t.Sequence[Record], redactor: Redactor | None = None) -> list[dict[str, t.Any]]:
    """The records as plain data, cut to the size that a bulk result may have.

    All records are cut alike: first long lists in their details, then everything that is not needed to know what happened
    and to find a run again. ``detail.cut`` says so, and the report file has everything. No more than that size is in memory.

    :param redactor: hides secrets, before a cut leaves parts of them.
    """
    redactor = redactor or Redactor()
    allowed = allowed_bytes(len(records))

    def full(record: Record) -> dict[str, t.Any]:
        return scrub_record(record.as_dict(), redactor)

    def shortened(limit: int, record: Record) -> dict[str, t.Any]:
        entry = full(record)
        return {**entry, "detail": {**_shortened(entry["detail"], limit), "cut": True}}

    def compact(record: Record) -> dict[str, t.Any]:
        return _compact(full(record), redactor.scrub({**record.compact_detail, **record.found}))

    def terse(record: Record) -> dict[str, t.Any]:
        return {**compact(record), "reason": ""}

    cuts: list[Cut] = [full, *(functools.partial(shortened, limit) for limit in LIST_LIMITS), compact]
    for cut in cuts:
        found = _all_within(allowed, cut, records)
        if found is not None:
            return found
    found = _all_within(max(allowed, EVENT_BYTES), terse, records)
    return [_without_guard_texts(terse(record)) for record in records] if found is None else found


def allowed_bytes(number: int) -> int:
    """What so many records may have together."""
    return max(FREE_BYTES, BYTES_PER_TARGET * number)


def _all_within(allowed: int, cut: Cut, records: t.Sequence[Record]) -> list[dict[str, t.Any]] | None:
    """The entries of all records, or ``None`` if they are larger than allowed."""
    entries: list[dict[str, t.Any]] = []
    size = 0
    for record in records:
        entries.append(cut(record))
        size += size_of(entries[-1]) + len(", ")
        if size > allowed:
            return None
    return entries


def fit_diffs(diffs: t.Sequence[dict[str, t.Any]], room: int = DIFF_BYTES) -> list[dict[str, t.Any]]:
    """As many diffs as fit into the event of a task, and a note about the others.

    :param room: bytes that they may have.
    """
    shown: list[dict[str, t.Any]] = []
    for diff in diffs:
        room -= size_of(diff)
        if room < 0:
            note = f"{len(diffs) - len(shown)} more targets differ; see the file at report_path\n"
            return [*shown, {"before": "", "after": note, "before_header": "not shown", "after_header": "not shown"}]
        shown.append(diff)
    return shown


def _compact(entry: dict[str, t.Any], compact_detail: dict[str, t.Any]) -> dict[str, t.Any]:
    failure = entry["failure"] and _compact_failure(entry["failure"])
    return {
        **entry,
        "reason": "" if failure else _short(entry["reason"]),
        # a run that has ended need not be found again
        "handle": None if entry["state"] in ("succeeded", "failed") else entry["handle"],
        "failure": failure,
        "detail": {**compact_detail, "cut": True},
    }


def _without_guard_texts(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    failure = entry["failure"]
    if not failure or "guards" not in failure:
        return entry
    guards = [{**guard, "message": ""} for guard in failure["guards"]]
    return {**entry, "failure": {**failure, "message": "", "guards": guards}}


def _compact_failure(failure: dict[str, t.Any]) -> dict[str, t.Any]:
    compact = {**failure, "message": _short(failure["message"]), "hint": ""}
    if "guards" in failure:
        # the rules are what tools need, and what each of them says shares the room of one text
        limit = MAX_TEXT // len(failure["guards"])
        compact["message"] = "refused by guard"
        compact["guards"] = [{**guard, "message": _short(guard["message"], limit)} for guard in failure["guards"]]
    return compact


def _short(text: str, limit: int = MAX_TEXT) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _shortened(value: t.Any, limit: int) -> t.Any:
    if isinstance(value, collections.abc.Mapping):
        return {key: _shortened(item, limit) for key, item in value.items()}
    return value[:limit] if isinstance(value, list) else value


def size_of(value: t.Any) -> int:
    """The bytes that a value has in a result."""
    return len(json.dumps(value, default=str))
