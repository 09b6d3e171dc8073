# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Failures that reach the user: always a code, a message and a remedy, never a traceback on the console."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import traceback
import typing as t

#: so many characters a text of an unexpected exception may have to be repeated in a message
MAX_EXCEPTION_TEXT = 200


@dataclasses.dataclass(frozen=True)
class Violation:
    """A broken guard.

    :param rule: the option that sets the limit.
    :param message: the numbers, and what lifts the rule.
    """

    rule: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """The form of a broken guard in all results and reports."""
        return {"rule": self.rule, "message": self.message}


def sentence(text: str) -> str:
    """A text with a mark at its end: one of ours has none, and one of a server may have its own."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def sentences(message: str, hint: str = "") -> str:
    """A message, and what can be done about it."""
    return f"{sentence(message)} {hint}".strip()


def coded_text(code: str, message: str, hint: str = "") -> str:
    """A failure where only a text is shown: its code, by which docs/errors.md explains it, its message and its remedy."""
    return f"{code}: {sentences(message, hint)}"


class SyncError(Exception):
    """A definite failure of one target or of the whole task.

    :param code: one of the vocabulary's :data:`FailureCode`, or of the ``failure_codes`` of a provider's descriptor.
    :param message: what happened, naming the object and, for bad input, the option and its value.
    :param hint: what the operator can do about it.
    :param http_status: status of the answer behind the failure, if there was one.
    :param detail: provider-specific facts that belong into the record of the target.
    :param violations: the broken guards behind a refusal.
    """

    #: of an exception that is a bug of this collection; for report files only
    traceback_text = ""

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        http_status: int | None = None,
        detail: dict[str, t.Any] | None = None,
        violations: t.Sequence[Violation] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.http_status = http_status
        self.detail = detail or {}
        self.violations = tuple(violations)

    @property
    def coded_text(self) -> str:
        """See :func:`coded_text`."""
        return coded_text(self.code, self.message, self.hint)

    def as_failure(self, for_report: bool = False) -> dict[str, t.Any]:
        """The ``failure`` entry of a record; it has ``guards`` only if guards are broken.

        :param for_report: with the traceback, if there is one.
        """
        failure: dict[str, t.Any] = {
            "code": self.code,
            "message": self.message,
            "http_status": self.http_status,
            "hint": self.hint,
        }
        if self.violations:
            failure["guards"] = [violation.as_dict() for violation in self.violations]
        if for_report and self.traceback_text:
            failure["traceback"] = self.traceback_text
        return failure

    def point_to_report(self, path: str | None, option: str = "report_path") -> None:
        """Say in the hint where the traceback is, if there is one.

        :param path: the report file of the task, if it has one.
        :param option: that names such a file.
        """
        if self.traceback_text:
            self.hint = f"{self.hint} {place_of_traceback(path, option)}"


def place_of_traceback(path: str | None, option: str) -> str:
    """Where a traceback is, or how to get it; for the hint of a failure. See :meth:`SyncError.point_to_report`."""
    return f"The traceback is in {path}." if path else f"To get the traceback, set {option} and run the task again."


class RateLimited(SyncError):
    """The server asked for a pause.

    :param retry_after: the pause in seconds, or ``None`` where the server named none.
    """

    def __init__(self, message: str, retry_after: float | None, http_status: int | None = 429, hint: str = "") -> None:
        super().__init__("rate_limited", message, hint, http_status)
        self.retry_after = retry_after


class NeverArrived(SyncError):
    """A trigger that provably did not reach the server, so that sending it again is safe.

    ``retryable`` is false where trying again cannot help, such as an untrusted certificate.
    """

    def __init__(self, code: str, message: str, hint: str = "", retryable: bool = True) -> None:
        super().__init__(code, message, hint)
        self.retryable = retryable


class Ambiguous(SyncError):
    """A trigger of which it is not known yet whether the server executed it.

    :param received: what arrived of the body of a successful response before it broke off.
    """

    def __init__(self, message: str, http_status: int | None = None, received: str = "") -> None:
        super().__init__("outcome_unknown", message, http_status=http_status)
        self.received = received


class InternalError(SyncError):
    """An exception of the collection itself: a bug, and never the fault of a server.

    :param exc: the exception, with its traceback.
    """

    def __init__(self, exc: BaseException) -> None:
        text = " ".join(str(exc).split())
        if len(text) > MAX_EXCEPTION_TEXT:
            # no part of it: of a secret that is cut, what is left could not be recognised and masked
            text = f"with a text of {len(text)} characters, which the traceback has"
        frames = traceback.extract_tb(exc.__traceback__)
        place = f", {os.path.basename(frames[-1].filename)} line {frames[-1].lineno}" if frames else ""
        super().__init__(
            "internal_error",
            f"internal error in lockstep.sync ({type(exc).__name__}: {text}{place})",
            "This is a bug of the collection and not of the server: please report it.",
        )
        self.traceback_text = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))


def unexpected_error(exc: Exception) -> InternalError:
    """The failure behind an exception that no code expects.

    Answers of a server are no source of such exceptions: what reads them checks their form, and raises ``bad_response``.
    """
    return InternalError(exc)


@contextlib.contextmanager
def wrap_unexpected() -> t.Iterator[None]:
    """Have every exception of what is done within be a :class:`SyncError`.

    :raises SyncError: as raised within.
    :raises InternalError: for any other exception.
    """
    try:
        yield
    except SyncError:
        raise
    except Exception as exc:  # noqa: BLE001 (a bug must not end a task without its report)
        raise unexpected_error(exc) from None


def invalid_option(option: str, value: t.Any, problem: str, remedy: str) -> SyncError:
    """Bad input, in one form everywhere: which option, which value, what is wrong, what to do."""
    return SyncError("invalid_option", f"option {option}: {value!r} {problem}", remedy)
