# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""HTTP with one policy for looking and another for triggering.

The policy goes by the *effect* of a request and not by its verb, because one of the systems mutates on GET.
"""

from __future__ import annotations

import dataclasses
import json as json_codec
import random
import threading
import typing as t
import urllib.parse

from .._core.clock import Clock
from .._core.deadline import LAST_LOOK, Deadline
from .._core.errors import Ambiguous, NeverArrived, RateLimited, SyncError, invalid_option
from .._core.redact import Redactor
from .._core.stop import Stopped, StopSignal
from . import transport
from .body import MAX_BODY, MAX_ERROR_BODY, TooLarge, read_part, read_whole
from .failures import slow_response, transport_error
from .limits import Limits, limited
from .response import DEFAULT_PORTS, REDIRECTS, Interpreter, Response, judge_status, origin_of, redirect_refused
from .sender import Sender
from .slots import Slots

OBSERVE_ATTEMPTS = 4
MAXREDIRECTS = 5

_TRANSIENT = (502, 503, 504)
_REFUSED_BEFORE_EXECUTION = (408, 429)
_ADDRESS = "Use https://host[:port][/path], and pass credentials in the options made for them."


@dataclasses.dataclass(frozen=True)
class HttpSettings:
    """Where and how to connect.

    :param base_url: API address including any context path, without a trailing slash.
    :param request_timeout: seconds for connecting, and for each wait for data.
    :param verify: ``True``, ``False`` or the path of a CA bundle.
    :param cert: client certificate and key paths.
    :param pool_size: connections kept alive, and requests at work at a time.
    :param rate_limit: requests a second; ``None`` for any number.
    """

    base_url: str
    request_timeout: float = 30.0
    verify: bool | str = True
    cert: str | tuple[str, str] | None = None
    pool_size: int = 8
    rate_limit: float | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urllib.parse.urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"


def parse_api_url(value: str, option: str = "api_url") -> str:
    """A base address in its canonical form: lower-case host, no default port, no trailing slash.

    :raises SyncError: ``invalid_option`` for anything that is not a plain http(s) address.
    """
    value = value.strip()
    for sign, what in (("@", "credentials"), ("?", "a query"), ("#", "a fragment")):
        if sign in value:
            # not repeated, since it may hold a secret
            raise SyncError("invalid_option", f"option {option}: the address carries {what}", _ADDRESS)
    try:
        parts = urllib.parse.urlsplit(value)
        port = parts.port
    except ValueError as exc:
        raise invalid_option(option, value, f"is not a valid address ({exc})", _ADDRESS) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(char.isspace() for char in value):
        raise invalid_option(option, value, "is not an http(s) address", _ADDRESS)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}"


class RequestCount:
    """Requests sent; a count may feed a larger one."""

    def __init__(self, parent: RequestCount | None = None) -> None:
        self._parent = parent
        self._lock = threading.Lock()
        self.value = 0

    def add(self) -> None:
        with self._lock:
            self.value += 1
        if self._parent is not None:
            self._parent.add()


class HttpClient:
    """Two senders to one server, shared by all targets of a task: one keeps its connections, the other uses each of them once.

    :param auth: a requests auth object that adds credentials to a request.
    :param interpret: the provider's reading of error answers.
    """

    def __init__(
        self,
        settings: HttpSettings,
        clock: Clock,
        redactor: Redactor,
        auth: t.Any = None,
        interpret: Interpreter | None = None,
        rng: random.Random | None = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.redactor = redactor
        self.interpret = interpret or (lambda answer: None)
        self.rng = rng or random.Random()  # nosec B311
        auth = auth or transport.NoAuth()
        self.headers = {"Accept": "application/json", **(headers or {})}
        pool: dict[str, t.Any] = {"pool_connections": 4, "pool_maxsize": settings.pool_size, "max_retries": 0}
        self.slots = Slots(settings.pool_size, clock, settings.rate_limit)
        self.reads = Sender(transport.ReadAdapter(**pool), auth, settings.verify, settings.cert)
        self.triggers = Sender(transport.TriggerAdapter(**pool), auth, settings.verify, settings.cert)

    def channel(self, deadline: Deadline, count: RequestCount, stop: StopSignal | None = None) -> Channel:
        """The way to the server for one target."""
        return Channel(self, deadline, count, stop or StopSignal())

    def close(self) -> None:
        self.reads.close()
        self.triggers.close()

    def send(
        self,
        sender: Sender,
        method: str,
        url: str,
        timeout: tuple[float, float],
        within: Limits,
        received: list[bytes] | None = None,
        json: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request, exactly once, and read its response: all of it, or of an error as much as a message may need.

        :param timeout: seconds for connecting, and for each wait for data.
        :param within: hold for the exchange as a whole.
        :param received: empty; has the pieces that arrived of the body of a successful response that breaks off.
        :param json: value of the body, if it has one.
        :raises OSError: on any trouble of transport, as a rule a ``requests.RequestException``.
        :raises SyncError: ``invalid_option`` if HTTP cannot carry it, ``bad_response`` if the body is too large.
        """
        given, content = dict(headers or {}), None
        if json is not None:
            content = json_codec.dumps(json, allow_nan=False).encode()
            given.setdefault("Content-Type", "application/json")
        try:
            with limited(within):
                raw = sender.send(method, url, given, content, timeout)
                body = read_whole(raw, received) if raw.status < 400 else read_part(raw, MAX_ERROR_BODY)[0]
        except TooLarge:
            raise _too_large(Response(method, url, raw.status, raw.headers, b"")) from None
        except ValueError as exc:
            about_a_header = isinstance(exc, transport.requests.exceptions.InvalidHeader)
            if isinstance(exc, OSError) and not about_a_header:
                raise
            raise _bad_header(self.settings.origin) from None
        self.slots.answered(raw.status)
        return Response(method, url, raw.status, raw.headers, body, self.redactor.text)


def _too_large(answer: Response) -> SyncError:
    problem = f"{answer.describe()} is larger than {MAX_BODY // 2**20} MiB"
    return SyncError("bad_response", problem, "No response of the API is so large: check api_url.", answer.status)


def _bad_header(origin: str) -> SyncError:
    # the text of the exception repeats the header, so this one does not repeat the exception
    return SyncError(
        "invalid_option",
        f"no request can be sent to {origin}: a header has characters that HTTP does not allow",
        "Look for line breaks and other special characters in the credentials.",
    )


class Channel:
    """Requests for one target: counted, within its deadline, in the manner that their effect calls for.

    ``may_have_executed`` says whether the last trigger was accepted or got lost on the way, but not definitely refused.
    ``on_trigger`` is called when a trigger is about to be sent, which is never the case once the task has been stopped, and
    ``on_send`` when there is a connection, before its first byte.

    With ``keeps_connections``, a trigger may use a connection that reads have used, which saves a handshake: one that has carried
    at least two complete responses, the last one within the last second and without announcing a close, and that has nothing
    to read (as it has once the server has closed it) right before the first byte. Else it gets a new one. What is left is a
    server that closes the connection while the request is on its way: an :class:`Ambiguous` that a new connection would not have
    had. So this is for providers where the absence of a run proves that it was never accepted.

    :param stop: ends it all; raises :class:`Stopped` in the place of a request.
    """

    def __init__(
        self, client: HttpClient, deadline: Deadline, count: RequestCount, stop: StopSignal, attempts: int = OBSERVE_ATTEMPTS
    ) -> None:
        self.client = client
        self.deadline = deadline
        self.count = count
        self.stop = stop
        self.on_trigger: t.Callable[[], None] = lambda: None
        self.on_send: t.Callable[[], None] = lambda: None
        self.attempts = attempts
        self.may_have_executed = False
        self.keeps_connections = False

    def once(self) -> Channel:
        """The same channel without retries, for a caller that is going to look again anyway."""
        return Channel(self.client, self.deadline, self.count, self.stop, attempts=1)

    def observe(
        self,
        path: str,
        params: t.Mapping[str, t.Any] | None = None,
        expect: t.Container[int] = (200,),
        method: str = "GET",
        body: t.Any = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> Response:
        """Read without side effects; retried on transient trouble, redirected within the origin only.

        :param path: percent-encoded path below the base address.
        :param expect: statuses that are not errors.
        :raises SyncError: what went wrong, in words of the provider where it knows them.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                answer = self._read(method, self._url(path, params), body, headers)
                if answer.status in expect:
                    return answer
                raise self._judge(answer)
            except SyncError as error:
                if not self._may_retry(error, attempt):
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def trigger(
        self,
        method: str,
        path: str,
        body: t.Any = None,
        params: t.Mapping[str, t.Any] | None = None,
        read_timeout: float | None = None,
        headers: t.Mapping[str, str] | None = None,
        expect: t.Container[int] = (200,),
        definite: Interpreter | None = None,
    ) -> Response:
        """Send the one mutating request, once, over a new connection unless this channel keeps them.

        :param read_timeout: seconds to wait for the answer, where it may take longer than ``request_timeout``; cut at the
            deadline.
        :param definite: names the refusals among 5xx answers that the server gives *before* it executes. A redirect is none: it
            is not followed, and says nothing about what the server has done.
        :raises NeverArrived: the server provably did not execute it.
        :raises RateLimited: refused before execution, with the pause the server asks for.
        :raises Ambiguous: it may have been executed.
        :raises SyncError: a definite refusal.
        :raises Stopped: the task has been stopped, and nothing is sent any more.
        """
        extra = {**self.client.headers, "Cache-Control": "no-cache", **(headers or {})}
        with self.client.slots.one(self.deadline):
            answer = self._send_trigger(method, self._url(path, params), body, extra, self._limits(read_timeout))
        if answer.status in expect:
            return answer
        raise self._noted(self._judge_trigger(answer, definite))

    def _send_trigger(self, method: str, url: str, body: t.Any, headers: dict[str, str], within: Limits) -> Response:
        sender = self.client.reads
        if not self.keeps_connections:
            sender, headers["Connection"] = self.client.triggers, "close"
        with self.stop.before_trigger():
            self.on_trigger()
        self.may_have_executed = True
        self.count.add()
        received: list[bytes] = []
        try:
            with transport.send_tracker.request(self._before_first_byte):
                return self._send(sender, method, url, within, body, headers, received)
        except (OSError, SyncError) as exc:
            raise self._noted(self._failed_trigger(exc, within, b"".join(received).decode("utf-8", "replace"))) from None
        except Stopped:
            self.may_have_executed = transport.send_tracker.sent
            raise

    def _before_first_byte(self) -> None:
        self.on_send()
        # connecting may have taken any time, and the report of a task that was stopped meanwhile has been built
        self.stop.check()

    def _noted(self, error: SyncError) -> SyncError:
        self.may_have_executed = isinstance(error, Ambiguous)
        return error

    def _judge_trigger(self, answer: Response, definite: Interpreter | None) -> SyncError:
        if answer.status in _REFUSED_BEFORE_EXECUTION:
            return self._rate_limited(answer)
        if answer.status >= 500 or answer.status < 300:
            refusal = definite(answer) if definite else None
            return refusal or Ambiguous(f"{answer.describe()} says: {answer.excerpt() or 'nothing'}", answer.status)
        if answer.status < 400:
            # many an application redirects after it has done what it was asked for (RFC 9110 section 15.4.4)
            return Ambiguous(redirect_refused(answer).message, answer.status)
        return self._judge(answer)

    def _failed_trigger(self, exc: Exception, within: Limits, received: str) -> SyncError:
        error = exc if isinstance(exc, SyncError) else self._transport_error(exc, within)
        if transport.send_tracker.sent:
            return Ambiguous(f"{error.message}, after the request had been sent", received=received)
        return NeverArrived(error.code, error.message, error.hint, retryable=error.code == "connection_failed")

    def _read(self, method: str, url: str, body: t.Any, headers: t.Mapping[str, str] | None) -> Response:
        extra = {**self.client.headers, **(headers or {})}
        for dummy in range(MAXREDIRECTS + 1):
            self.stop.check()
            with self.client.slots.one(self.deadline):
                within = self._limits()
                self.count.add()
                try:
                    answer = self._send(self.client.reads, method, url, within, body, extra)
                except OSError as exc:
                    raise self._transport_error(exc, within) from None
            target = answer.redirect
            if answer.status not in REDIRECTS or method != "GET" or target is None or origin_of(target) != origin_of(url):
                return answer
            url = target
        raise redirect_refused(answer)

    def _limits(self, read_timeout: float | None = None) -> Limits:
        """What a request that begins now has to keep to.

        :raises SyncError: ``timed_out``, if there is no time left for one.
        """
        limit = self.client.settings.request_timeout
        wait = limit if read_timeout is None else read_timeout
        if not self.deadline.allows(LAST_LOOK):
            # not to be cut to the nothing that remains of the deadline
            wait = max(wait, limit)
        total = self.deadline.budget()
        return Limits(min(limit, total), min(wait, total), total)

    def _send(
        self,
        sender: Sender,
        method: str,
        url: str,
        within: Limits,
        body: t.Any,
        headers: t.Mapping[str, str],
        received: list[bytes] | None = None,
    ) -> Response:
        timeout = (within.connect, within.wait)
        return self.client.send(sender, method, url, timeout, within=within, received=received, json=body, headers=headers)

    def _transport_error(self, exc: Exception, within: Limits) -> SyncError:
        return slow_response(exc, self.client.settings.origin, within) or transport_error(
            exc, self.client.settings.origin, (within.connect, within.wait)
        )

    def _url(self, path: str, params: t.Mapping[str, t.Any] | None) -> str:
        given = {key: value for key, value in (params or {}).items() if value is not None}
        # RFC 3986 form, in which a space is %20 and not +
        query = urllib.parse.urlencode(given, quote_via=urllib.parse.quote, safe="") if given else ""
        return f"{self.client.settings.base_url}{path}{'?' if query else ''}{query}"

    def _judge(self, answer: Response) -> SyncError:
        if answer.status == 429:
            return self._rate_limited(answer)
        error = self.client.interpret(answer)
        if error is None and answer.status == 503 and answer.retry_after(self.client.clock.now()) is not None:
            return self._rate_limited(answer)
        return error or judge_status(answer)

    def _rate_limited(self, answer: Response) -> RateLimited:
        pause = answer.retry_after(self.client.clock.now())
        when = f"asks to come back in {pause:g} s" if pause is not None else "names no time to come back"
        return RateLimited(
            f"{answer.describe()}: refused for now, the server {when}", pause, answer.status, "Run the task again after that."
        )

    def _may_retry(self, error: SyncError, attempt: int) -> bool:
        passing = error.code in ("connection_failed", "rate_limited") or (
            error.code == "server_error" and error.http_status in _TRANSIENT
        )
        if not passing or attempt >= self.attempts:
            return False
        pause = error.retry_after if isinstance(error, RateLimited) else None
        if pause is None:
            # full jitter, as contending clients recover fastest with it
            pause = self.client.rng.uniform(0, 0.5 * 2**attempt)
        if not self.deadline.allows(pause):
            return False
        self.deadline.sleep(pause)
        return True
