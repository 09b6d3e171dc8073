# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anything that a web server may send: bodies, headers, versions; and paths into JSON."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import parse_iso, parse_retry_after
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK, Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.json_reader import Form, JsonReader
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response, judge_status
from ansible_collections.lockstep.sync.plugins.module_utils._probe.jsonpath import find, parse_path
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter import api as crafter_api
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import api as plm_api
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar import responses
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns import api as vinyldns_api
from tests.fuzzing import Fuzzer, damaged, outcome

NOW = dt.datetime(2026, 11, 20, 10, 11, 12, tzinfo=dt.timezone.utc)
FIELDS: dict[str, Form] = {
    "id": "number",
    "name": "text",
    "zone": "object",
    "rows": "list",
    "note": "text_or_null",
    "count": "number_or_null",
}
#: fields of errors, too
NAMES = (
    *FIELDS,
    "status",
    "error_code",
    "error_message",
    "message",
    "code",
    "errors",
    "response",
    "remedialAction",
    "validationErrors",
)
ODD = ("9" * 5000, "1e999", "\ud800", "a" * 300, "-1", "0x1", "1001", "InternalError")
TEXTS = st.text(max_size=12) | st.sampled_from(NAMES + ODD)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from([1, 6000, 10**400])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=12,
)
DOCUMENTS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES))
DAMAGE = st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3)), max_size=3)


def as_json(value: object) -> bytes:
    """As a server may write it that knows no limit of digits."""
    return json.dumps(value).encode() if value != 10**400 else b"1" + b"0" * 400


BODIES = (
    DOCUMENTS.map(as_json)
    | st.builds(lambda value, damage: damaged(as_json(value), damage), DOCUMENTS | VALUES, DAMAGE)
    | st.binary(max_size=200)
    | st.builds(lambda depth, sign: sign * depth, st.integers(1, 20_000), st.sampled_from([b"[", b'{"a":', b"[[],"]))
    | st.builds(
        lambda digits, form: form % (b"9" * digits),
        st.integers(1, 6000),
        st.sampled_from([b"%s", b'{"count": %s}', b'{"count": "%s"}']),
    )
)


def check_json(value: object) -> None:
    """
    :raises ValueError: it is none: it has NaN, an infinity, or a text that UTF-8 cannot encode.
    """
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")


INTERPRETERS: dict[str, Callable[[Response], object]] = {
    "crafter": crafter_api.interpret,
    "plm": plm_api.interpret,
    "serveravatar": responses.interpret,
    "vinyldns": vinyldns_api.interpret,
}
KINDS = st.sampled_from(["application/json", "text/html", "application/json; charset=utf-16", ""])


def test_bodies(fuzz: Fuzzer) -> None:
    """What is not of the documented form is ``bad_response``, and what is can be shown."""
    redactor = Redactor(["s3cret&canary"])
    reads: list[Callable[[JsonReader], object]] = [
        lambda reader: reader.object_at(**FIELDS),
        lambda reader: reader.rows_at("rows", **FIELDS),
        lambda reader: reader.number_at("count"),
        lambda reader: reader.rows_at(**FIELDS),
    ]

    def check(given: tuple[bytes, int, str]) -> None:
        body, status, kind = given
        response = Response("GET", "https://h/things", status, {"Content-Type": kind}, body, redactor.text)
        response.excerpt()
        judge_status(response)
        for read in reads:
            found = outcome(lambda read=read: read(JsonReader(response, "Check api_url.")))  # type: ignore[misc]
            assert not isinstance(found, SyncError) or found.code == "bad_response"
            check_json(redactor.scrub(found.as_failure() if isinstance(found, SyncError) else found))

    fuzz(st.tuples(BODIES, st.integers(100, 999), KINDS), check)


def test_error_bodies(fuzz: Fuzzer) -> None:
    """What a provider makes of an error is a failure of ours or none."""

    def check(given: tuple[str, bytes, int, str]) -> None:
        provider, body, status, kind = given
        response = Response("POST", "https://h/things", status, {"Content-Type": kind}, body, Redactor(["s3cret"]).text)
        found = outcome(lambda: INTERPRETERS[provider](response))
        assert found is None or isinstance(found, SyncError)

    statuses = st.sampled_from([200, 202, 302, 400, 401, 403, 404, 409, 422, 423, 429, 500, 502, 503])
    fuzz(st.tuples(st.sampled_from(sorted(INTERPRETERS)), BODIES, statuses, KINDS), check)


def test_retry_after(fuzz: Fuzzer) -> None:
    def check(text: str) -> None:
        seconds = parse_retry_after(text, NOW)
        assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
        moment = parse_iso(text)
        assert moment is None or moment.tzinfo is not None

    digits = st.text("0123456789\u0663\u2157\u00b2", min_size=1, max_size=400)
    number = st.integers(0, 99999)
    dates = st.builds(
        "Fri, {:02d} {} {:04d} {:02d}:{:02d}:{:02d} {}".format,
        *(st.integers(0, 40), st.sampled_from(["Nov", "Feb", "x"]), number, number, st.integers(0, 70), st.integers(0, 70)),
        st.sampled_from(["GMT", "-2400", "+9999", "", "-0000", "+99999999"]),
    )
    fuzz(digits | dates | st.text(max_size=30) | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"), check)


def test_versions(fuzz: Fuzzer) -> None:
    def check(value: object) -> None:
        version = crafter_api.parse_version(value)
        if version is not None:
            assert isinstance(value, str) and crafter_api.parse_version(str(version)) == version
            outcome(lambda: crafter_api.choose_endpoint("auto", version))

    parts = st.lists(st.sampled_from(["3", "4", ".", "v", " ", "-", "E", "99999999", "\u0663", "x"]), max_size=9).map("".join)
    fuzz(parts | SCALARS, check)


def test_json_paths(fuzz: Fuzzer) -> None:
    def check(given: tuple[str, Any]) -> None:
        text, document = given
        try:
            path = parse_path(text)
        except ValueError as error:
            problem = str(error)
        else:
            there, value = find(document, path)
            problem = "" if path and (there or value is None) else "found something else"
        assert problem in ("", "is empty") or problem.startswith(
            ("cannot be read as a path from ", "has a position of more than ")
        )

    pieces = [
        ".",
        "[",
        "]",
        '"',
        "'",
        "0",
        "7",
        "[" + "9" * 5000 + "]",
        "a",
        "b c",
        "*",
        "$",
        "..",
        "[0]",
        '["x"]',
        "\\",
        "\ud800",
        "id",
    ]
    paths = st.lists(st.sampled_from(pieces), max_size=6).map("".join) | st.text(max_size=15)
    fuzz(st.tuples(paths, VALUES), check)


def test_hidden_secrets(fuzz: Fuzzer) -> None:
    """A secret of any characters is found, also a part of a text that has a part of it before."""

    def check(given: tuple[str, str, Any]) -> None:
        secret, around, value = given
        redactor = Redactor([secret])
        check_json(redactor.scrub({"a": value, "b": [around]}))
        assert not secret.strip() or MASK in redactor.text(f"{around}{secret}")

    awkward = st.text("ab&%\"'\\ \n<>+/=é😀\x00\ud800\udce9", min_size=1, max_size=8)
    fuzz(st.tuples(awkward, awkward, VALUES), check)
