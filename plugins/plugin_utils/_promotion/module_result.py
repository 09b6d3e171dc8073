# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the modules that a promotion calls return, as values."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.errors import sentences
from ...module_utils._core.options import MISSING
from .._actions.codec import JsonState

BackupId = t.Union[int, str]


@dataclasses.dataclass(frozen=True)
class Failure(JsonState):
    """The ``failure`` of a record.

    :param guards: the broken guards, each with ``rule`` and ``message``.
    """

    code: str
    message: str
    http_status: int | None = None
    hint: str = ""
    guards: tuple[t.Mapping[str, str], ...] = ()

    def to_json(self) -> dict[str, object]:
        """As in a record, which has ``guards`` only if there are any."""
        return {name: value for name, value in super().to_json().items() if name != "guards" or value}

    @property
    def text(self) -> str:
        """Message and hint."""
        return sentences(self.message, self.hint)


@dataclasses.dataclass(frozen=True)
class ListedBackup(JsonState):
    """``detail.backup`` of the backup module."""

    id: BackupId | None = None
    name: str | None = None
    size: str | int | None = None
    status: str | None = None


@dataclasses.dataclass(frozen=True)
class SyncResult(JsonState):
    """The record of a sync, backup or restore module, which the report repeats as it is."""

    record: t.Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        return dict(self.record)

    @classmethod
    def from_json(cls, value: t.Mapping[str, object]) -> SyncResult:
        return cls(value)

    @property
    def target(self) -> str:
        return str(self.record["target"])

    @property
    def action(self) -> str:
        return str(self.record["action"])

    @property
    def state(self) -> str:
        return str(self.record["state"])

    @property
    def reason(self) -> str:
        return str(self.record["reason"])

    @property
    def handle(self) -> t.Mapping[str, object] | None:
        return t.cast("t.Mapping[str, object] | None", self.record["handle"])

    @property
    def changed(self) -> bool:
        return bool(self.record["changed"])

    @property
    def timed_out(self) -> bool:
        return bool(self.record["timed_out"])

    @property
    def elapsed(self) -> float:
        return float(t.cast(float, self.record["elapsed"]))

    @property
    def failure(self) -> Failure | None:
        return _failure(self.record)

    @property
    def detail(self) -> t.Mapping[str, object]:
        return t.cast("t.Mapping[str, object]", self.record["detail"])

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that make up the identity of the target; empty where its name is that."""
        ids = t.cast("t.Mapping[str, object] | None", self.detail.get("ids"))
        return tuple(map(str, ids.values())) if ids else ()

    @property
    def disk_usage(self) -> float | None:
        """Per cent of the disk of the production server, where the provider knows it."""
        return t.cast("float | None", self.detail.get("disk_usage"))

    @property
    def backup(self) -> ListedBackup:
        return ListedBackup.from_json(t.cast("t.Mapping[str, object]", self.detail.get("backup") or {}))


@dataclasses.dataclass(frozen=True)
class ProbeResult(JsonState):
    """One probe in the result of ``http_probe``.

    :param was_ok: what the same probe saw before the promotion.
    """

    name: str
    ok: bool
    problems: tuple[str, ...] = ()
    url: str = ""
    status: int | None = None
    latency: float | None = None
    attempts: int = 0
    consecutive: int = 0
    certificate_days: int | None = None
    was_ok: bool | None = None
    checked_at: str | None = None
    requests: int = 0


@dataclasses.dataclass(frozen=True)
class ModuleResult:
    """What a module of the collection returned.

    :param record: of the one target, if the module came so far.
    :param task_failure: why the module as a whole failed.
    :param traceback: of a failure that is a bug of the collection.
    """

    record: SyncResult | None = None
    task_failure: Failure | None = None
    message: str = ""
    requests: int = 0
    probes: tuple[ProbeResult, ...] | None = None
    elapsed: float = 0.0
    warnings: tuple[str, ...] = ()
    traceback: str = ""

    @classmethod
    def from_json(cls, value: t.Mapping[str, object]) -> ModuleResult:
        records = t.cast("t.Sequence[t.Mapping[str, object]]", value.get("syncs") or ())
        summary = t.cast("t.Mapping[str, int]", value.get("summary") or {})
        probes = t.cast("t.Sequence[t.Mapping[str, object]] | None", value.get("probes"))
        return cls(
            SyncResult(records[0]) if len(records) == 1 else None,
            _failure(value),
            str(value.get("msg") or "the module ended without a result").strip(),
            int(summary.get("requests", 0)),
            None if probes is None else tuple(ProbeResult.from_json(probe) for probe in probes),
            float(t.cast(float, value.get("elapsed") or 0.0)),
            tuple(map(_warning_text, t.cast("t.Sequence[object]", value.get("warnings") or ()))),
            str(value.get("traceback") or ""),
        )

    def with_place_of_traceback(self, place: str) -> ModuleResult:
        """The same; hints of failures that are bugs of the collection say where the traceback is."""
        record, failure = self.record, self.task_failure
        if record is not None and record.failure is not None and record.failure.code == "internal_error":
            explained = dataclasses.replace(record.failure, hint=f"{record.failure.hint} {place}")
            record = SyncResult({**record.record, "failure": explained.to_json()})
        if failure is not None and failure.code == "internal_error":
            failure = dataclasses.replace(failure, hint=f"{failure.hint} {place}")
        return dataclasses.replace(self, record=record, task_failure=failure)

    @property
    def failure(self) -> Failure | None:
        """That of the record, or else why there is none."""
        if self.record is not None:
            return self.record.failure
        # a module that Ansible could not run has none
        found = self.task_failure or Failure("invalid_option", self.message)
        return dataclasses.replace(found, hint=found.hint or _hint(found.message))


def _hint(message: str) -> str:
    """What can be done about a problem of options that Ansible itself found."""
    if not message.startswith(MISSING):
        return ""
    return "Set it in the options of the target or in the environment, as the documentation of the module says"


def _warning_text(warning: object) -> str:
    """The text of a warning; ansible-core 2.19 and later wrap those of module processes."""
    return str(getattr(getattr(warning, "event", None), "msg", warning))


def _failure(value: t.Mapping[str, object]) -> Failure | None:
    found = t.cast("t.Mapping[str, object] | None", value.get("failure"))
    return Failure.from_json(found) if found else None
