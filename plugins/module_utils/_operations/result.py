# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Results: one record per target with every field always present, a summary, and a size that AWX keeps."""

from __future__ import annotations

import collections.abc
import json
import typing as t

from .._core.redact import Redactor
from .._core.vocabulary import WORDS
from .._lifecycle.record import Record

#: AWX drops an event above 700 kB; with this much per target a thousand targets fit. Warnings, the diff and the arguments of the
#: module are included
BYTES_PER_TARGET = 600
#: from how many targets on the result as a whole is kept to that
MANY = 200
#: what is kept free for the arguments of the module, and for the note in place of what does not fit
RESERVED = 2048
#: above this total size no messages of guards are kept
EVENT_BYTES = 640 * 1000
#: below this total size nothing is cut
FREE_BYTES = 64 * 1024
#: what all diffs of a task may have together
DIFF_BYTES = 100 * 1024
#: how often the event of a task has a diff: in the result, and as lines with colours, which take half as much again
DIFF_COPIES = 3
#: warnings of a task that are shown
MAX_WARNINGS = 20
#: arguments of a module in one list that are shown, and how many of them if there are more
MAX_ARGUMENTS, SHOWN_ARGUMENTS = 100, 10
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


def fit(records: t.Sequence[Record], redactor: Redactor | None = None, allowed: int | None = None) -> list[dict[str, t.Any]]:
    """The records as plain data, cut to the size that a bulk result may have.

    All records are cut alike: first long lists in their details, then everything that is not needed to know what happened
    and to find a run again, at last their reasons and dates. ``detail.cut`` says so, and the report file has everything. No more
    than that size is in memory.

    :param redactor: hides secrets, before a cut leaves parts of them.
    :param allowed: bytes that they may have together; by default as many as the whole result.
    """
    redactor = redactor or Redactor()
    allowed = allowed_bytes(len(records)) if allowed is None else allowed
    for limit in (None, *LIST_LIMITS):
        found = _within(allowed, (_with_lists(record, limit, redactor) for record in records))
        if found is not None:
            return found
    compact = [_compact(record, redactor) for record in records]
    bare = [_bare(entry) for entry in compact]
    terse = [{**entry, "reason": ""} for entry in compact]
    for size, entries in ((allowed, compact), (allowed, terse), (allowed, bare), (max(allowed, EVENT_BYTES), bare)):
        found = _within(size, entries)
        if found is not None:
            return found
    return [_without_guard_texts(entry) for entry in bare]


def allowed_bytes(number: int) -> int:
    """What the result of so many targets may have."""
    return max(FREE_BYTES, BYTES_PER_TARGET * number)


def fit_warnings(warnings: t.Sequence[str]) -> list[str]:
    """As many warnings as a result has, and the number of the others."""
    rest = len(warnings) - MAX_WARNINGS
    note = f"{rest} more warnings are in the file at report_path, if that is set"
    return [*warnings[:MAX_WARNINGS], note] if rest > 0 else list(warnings)


def fit_arguments(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The arguments of a module, with long lists cut: ``syncs`` has the targets."""
    return {name: _few(value) if isinstance(value, list) else value for name, value in arguments.items()}


def _few(values: list[t.Any]) -> list[t.Any]:
    if len(values) <= MAX_ARGUMENTS:
        return values
    return [*values[:SHOWN_ARGUMENTS], f"and {len(values) - SHOWN_ARGUMENTS} more"]


def _within(allowed: int, entries: t.Iterable[dict[str, t.Any]]) -> list[dict[str, t.Any]] | None:
    """All entries, or ``None`` if they are larger than allowed."""
    found: list[dict[str, t.Any]] = []
    size = 0
    for entry in entries:
        found.append(entry)
        size += size_of(entry) + len(", ")
        if size > allowed:
            return None
    return found


def _with_lists(record: Record, limit: int | None, redactor: Redactor) -> dict[str, t.Any]:
    """The entry of a record, in whose details lists have at most so many items."""
    entry = record.as_dict()
    if limit is not None:
        entry["detail"] = {**_shortened(entry["detail"], limit), "cut": True}
    return scrub_record(entry, redactor)


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


def _compact(record: Record, redactor: Redactor) -> dict[str, t.Any]:
    entry = {**record.as_dict(), "detail": {**record.compact_detail, **record.found, "cut": True}}
    if record.state in ("succeeded", "failed"):
        # a run that has ended need not be found again
        entry["handle"] = None
    entry = scrub_record(entry, redactor)
    if entry["failure"]:
        return {**entry, "reason": "", "failure": _compact_failure(entry["failure"])}
    return {**entry, "reason": _short(entry["reason"])}


def _bare(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**entry, "reason": "", "started_at": None, "finished_at": None}


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
