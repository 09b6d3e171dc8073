# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Failures that reach the user: always a code, a message and a remedy, never a traceback."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t


class SyncError(Exception):
    """A definite failure of one target or of the whole task.

    :param code: one of the vocabulary's :data:`FailureCode`, or of the ``failure_codes`` of a provider's descriptor.
    :param message: what happened, naming the object and, for bad input, the option and its value.
    :param hint: what the operator can do about it.
    :param http_status: status of the answer behind the failure, if there was one.
    :param detail: provider-specific facts that belong into the record of the target.
    """

    def __init__(
        self,
        code: str,
        message: str,
        hint: str = "",
        http_status: int | None = None,
        detail: dict[str, t.Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.http_status = http_status
        self.detail = detail or {}

    def as_failure(self) -> dict[str, t.Any]:
        """The ``failure`` entry of a record."""
        return {"code": self.code, "message": self.message, "http_status": self.http_status, "hint": self.hint}


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
    """A trigger of which nobody can say yet whether the server executed it."""

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__("outcome_unknown", message, http_status=http_status)


@dataclasses.dataclass(frozen=True)
class Violation:
    """A broken guard.

    :param rule: the option that sets the limit.
    :param message: the numbers, and what lifts the rule.
    """

    rule: str
    message: str


def unexpected_error(exc: Exception) -> SyncError:
    """The failure behind an exception that nobody foresaw: as a rule, an answer of another shape than the API has."""
    return SyncError(
        "bad_response",
        f"the server answered in a form that this collection does not understand ({type(exc).__name__}: {exc})",
        "The server may be of a version that is not supported. If it is, please report this.",
    )


@contextlib.contextmanager
def wrap_unexpected() -> t.Iterator[None]:
    """Have every exception of what is done within be a :class:`SyncError`.

    :raises SyncError: ``bad_response`` for one that nobody foresaw.
    """
    try:
        yield
    except SyncError:
        raise
    except Exception as exc:  # noqa: BLE001 (no answer of a server, however odd, may end a task without its report)
        raise unexpected_error(exc) from None


def invalid_option(option: str, value: t.Any, problem: str, remedy: str) -> SyncError:
    """Bad input, in one form everywhere: which option, which value, what is wrong, what to do."""
    return SyncError("invalid_option", f"option {option}: {value!r} {problem}", remedy)
