# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No part of a secret is shown where a text is too long to be shown as a whole."""

from __future__ import annotations

import datetime as dt
import json
import re
import smtplib
from collections.abc import Callable, Iterator

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import InternalError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.body import _Decoder
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import HttpSettings
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._probe.expect import Expectation, HttpResponse, JsonRule, problems_of
from ansible_collections.lockstep.sync.plugins.module_utils._probe.jsonpath import parse_path
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.git import git_failure
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import (
    api as plm_api,
    notifications as plm_notifications,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import MAX_TEXT, notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.settings import Mail
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.approval_decision import ask
from tests.unit.plugins.plugin_utils.notifications.receivers import MAIL, only, report

SECRET = "Zq7-first-half/second&half-Zq7"
PARTS = [SECRET[start : start + 4] for start in range(len(SECRET) - 3)]


def of_response(text: str) -> str:
    response = Response(
        "GET", "http://h/x", 500, {}, json.dumps({"code": "x", "message": text}).encode(), Redactor([SECRET]).text
    )
    error = plm_api.interpret(response)
    return error.message if error else ""


def of_excerpt(text: str) -> str:
    return Response("GET", "http://h/x", 500, {}, text.encode(), Redactor([SECRET]).text).excerpt()


def of_git(text: str) -> str:
    return git_failure("fetch", text, Redactor([SECRET]).text).message


def of_exception(text: str) -> str:
    return InternalError(ValueError(text)).message


def of_coding(text: str) -> str:
    try:
        _Decoder(text)
    except OSError as error:
        return str(error)
    return ""


def of_websocket(text: str) -> str:
    shown: list[str] = []
    settings = HttpSettings("http://127.0.0.1:9", request_timeout=1.0)
    listener = plm_notifications.Notifications("ws://127.0.0.1:9", settings, SystemClock(), shown.append, Redactor([SECRET]).text)

    def refuse(connection: object) -> None:
        raise RuntimeError(text)

    listener._connect = refuse  # type: ignore[method-assign]
    listener.subscribe(5)
    listener.close()
    return shown[0]


def of_mail(text: str) -> str:
    def connect(mail: Mail, timeout: float) -> smtplib.SMTP:
        raise smtplib.SMTPResponseException(500, text.encode())

    return only(notify(report(), {"mail": {**MAIL, "username": "joe", "password": SECRET}}, smtp=connect), "mail")["text"]


class Screen:
    def __init__(self, answer: str) -> None:
        self.answer = answer

    def prompt_until(self, msg: str, **options: object) -> bytes:
        return self.answer.encode()


def of_answer(text: str) -> str:
    return ask(Screen(text), "promote it?", 60.0, lambda: 0.0).reason  # type: ignore[arg-type]


def of_probe(wanted: Expectation, headers: dict[str, str], body: object) -> str:
    seen = HttpResponse(200, headers, json.dumps(body).encode(), 0.1)
    return "\n".join(problems_of(wanted, seen, dt.datetime.now(dt.timezone.utc), Redactor([SECRET]).text))


def of_json(text: str) -> str:
    return of_probe(Expectation(json=(JsonRule("a", parse_path("a"), equals=1),)), {}, {"a": text})


def of_wanted_json(text: str) -> str:
    return of_probe(Expectation(json=(JsonRule("a", parse_path("a"), equals=text),)), {}, {"a": 1})


def of_header(text: str) -> str:
    return of_probe(Expectation(headers=(("X-Echo", re.compile("^$")),)), {"X-Echo": text}, {})


PLACES: dict[str, Callable[[str], str]] = {
    "message of a response": of_response,
    "excerpt of a response": of_excerpt,
    "git": of_git,
    "unexpected exception": of_exception,
    "content coding": of_coding,
    "websocket": of_websocket,
    "mail server": of_mail,
    "answer to a prompt": of_answer,
    "JSON of a probe": of_json,
    "JSON that a probe wants": of_wanted_json,
    "header of a probe": of_header,
}


def fillings() -> Iterator[int]:
    """Lengths of what comes before the secret, so that each limit is somewhere in its middle."""
    yield from range(0, 330, 11)
    yield from range(MAX_TEXT - 100, MAX_TEXT, 11)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_cut_leaves_no_part_of_a_secret(place: Callable[[str], str]) -> None:
    redactor = Redactor([SECRET])
    for length in fillings():
        # what a task shows is redacted at the end, which must find all of it
        shown = redactor.text(place("." * length + SECRET + "." * 30))
        assert not [part for part in PARTS if part in shown], shown


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_text_is_shown(place: Callable[[str], str]) -> None:
    """Lest the other test finds nothing because nothing is shown."""
    assert "odd text" in place("odd text")


def test_what_git_means_does_not_depend_on_the_secret() -> None:
    text = "fatal: Authentication failed for 'https://git.example/x'"
    failure = git_failure("fetch", text, Redactor(["Authentication"]).text)
    assert (failure.code, "********" in failure.message) == (git_failure("fetch", text).code, True)
    assert failure.code == "auth_failed"
