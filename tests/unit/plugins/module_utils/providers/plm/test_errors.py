# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the errors of the service mean, and what they advise."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.plm import api
from tests.unit.plugins.module_utils.providers.plm.media_manager import DONE, ID, described, response


def published(code: int, message: str) -> dict[str, t.Any]:
    return {"status": 1, "error_code": code, "error_message": message}


def framework(code: str, message: str) -> dict[str, t.Any]:
    return {"code": code, "message": message}


NO_REMOTE_GET = framework("InternalError", "Cannot read property 'host' of undefined")
NO_REMOTE_POST = framework("InternalError", "Cannot read property 'httpStatus' of undefined")
NO_REMOTE_NEW = framework("InternalError", "Cannot read properties of undefined (reading 'httpStatus')")
ERRORS = [
    (500, published(-1, "Unknown error occurred."), "server_error", "Unknown error occurred.", False),
    (404, published(1, "No files found"), "not_found", "No files found", True),
    (409, published(2, "Conflict"), "busy", "Conflict", True),
    (404, published(3, "Attribute validation failure"), "not_found", "Attribute validation", True),
    (404, published(4, "Request not yet supported."), "endpoint_missing", "not yet supported", True),
    (500, published(4, "Request not yet supported."), "endpoint_missing", "not yet supported", True),
    (400, published(5, "Bad request"), "bad_response", "Bad request", True),
    (500, published(99, "What is this"), "server_error", "What is this", False),
    (200, published(-1, "Unknown error occurred."), "bad_response", "Unknown error", False),
    (500, {"status": 1, "error_code": "x"}, "server_error", "HTTP 500", False),
    (404, framework("ResourceNotFound", "/v1/storage/synchronizers does not exist"), "endpoint_missing", "does not exist", False),
    (405, framework("MethodNotAllowedError", "GET is not allowed"), "endpoint_missing", "GET is not allowed", False),
    (400, framework("InvalidContent", "Invalid JSON: Unexpected token b"), "bad_response", "Unexpected token b", False),
    (500, NO_REMOTE_GET, "server_error", "'host'", True),
    (500, NO_REMOTE_POST, "server_error", "'httpStatus'", True),
    (500, NO_REMOTE_NEW, "server_error", "'httpStatus'", True),
    (500, framework("InternalError", "Cannot read property 'id' of undefined"), "server_error", "'id'", False),
    (500, framework("Other", "Cannot read property 'host' of undefined"), "server_error", "'host'", False),
    (404, "<html>not here</html>", "endpoint_missing", "(an HTML page)", False),
    (401, "", "auth_failed", "nothing", False),
    (403, framework("Forbidden", "no"), "permission_denied", "no", False),
]


@pytest.mark.parametrize(("status", "body", "code", "words", "definite"), ERRORS)
def test_errors(status: int, body: t.Any, code: str, words: str, definite: bool) -> None:
    error = api.interpret(response(status, body))
    assert error is not None
    assert (error.code, error.http_status) == (code, status)
    assert words in error.message
    assert error.hint
    refusal = api.refused_before_start(response(status, body, "POST"))
    assert (refusal is not None) == definite
    if refusal is not None:
        assert refusal.code == code


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<html>bad gateway</html>"), (500, ""), (503, "[]"), (418, "tea"), (200, described(DONE)), (200, {"code": "x"})],
)
def test_what_the_provider_has_no_word_for(status: int, body: t.Any) -> None:
    assert api.interpret(response(status, body)) is None
    assert api.refused_before_start(response(status, body)) is None


@pytest.mark.parametrize("body", [NO_REMOTE_GET, NO_REMOTE_POST, NO_REMOTE_NEW])
def test_a_missing_remote_says_what_to_do(body: t.Any) -> None:
    error = api.interpret(response(500, body))
    assert error is not None
    assert "remote" in error.hint


@pytest.mark.parametrize(
    "body",
    ["[]", "7", "{}", "<html></html>", {"status": 0}, {"synchronizer": []}, described(DONE, "$a+b"), published(-1, "x")],
)
def test_an_answer_about_something_else_is_not_believed(body: t.Any) -> None:
    channel = t.cast(t.Any, type("Channel", (), {"observe": lambda self, path: response(200, body)})())
    with pytest.raises(SyncError) as caught:
        api.get_states(channel, ID)
    assert caught.value.code == "bad_response"
