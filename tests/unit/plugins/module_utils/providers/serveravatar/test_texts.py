# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The texts of ServerAvatar, and what they are taken for: statuses tell little, since 404 and 500 are for anything."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar import responses

DISK = "Staging site sync is failed because you do not have enough disk space available on your {} server!"

#: every refusal on the published page of the sync: status, text, code, and a word that the hint must have
PUBLISHED = [
    (404, "You cannot perform this action!", "permission_denied", "role"),
    (404, "You cannot perform this action, Please contact support!", "permission_denied", "support"),
    (500, "Please wait another process already running!", "busy", "if_running"),
    (404, "Staging server not found!", "not_found", "server of the staging area"),
    (404, "Staging application not found!", "not_found", "copy in the staging area"),
    (404, "Staging database not found!", "not_found", "database of the staging area"),
    (500, DISK.format("staging"), "disk_full", "staging server"),
    (500, DISK.format("production"), "disk_full", "production server"),
    (404, "Organization not found!", "not_found", "organization"),
    (404, "Application not found!", "not_found", "applications"),
    (404, "Server not found!", "not_found", "Check server"),
    (500, "Something went really wrong!", "server_error", "contact its support"),
]

#: texts of other pages of the same documentation
ELSEWHERE = [
    (404, "You can not perform this action!", "permission_denied"),
    (404, "Cloud storage Provider not found!", "not_found"),
    (404, "Database not found!", "not_found"),
    (500, "Instant Backup is failed because you do not have enough disk space available on your server.", "disk_full"),
    (500, "Invalid retention period!", "invalid_option"),
    (500, "Something went wrong.", "server_error"),
    (500, "Something went really wrong while creating database!", "server_error"),
    (500, "Please wait another site migration already running!", "busy"),
    (500, "Please wait another git deployment process already running!", "busy"),
    (404, "Backup not found.", "not_found"),
    (500, "Restore is already in progress.", "busy"),
    (500, "You can not restore this backup because there is not enough disk space available on your server.", "disk_full"),
    (500, "You can not restore this backup because there is not enough disk space available on selected server.", "disk_full"),
    (500, "Your server is not connected.", "connection_failed"),
    (500, "Backups cannot be restored to MERN servers.", "permission_denied"),
    (401, "Unauthenticated.", "auth_failed"),
    (401, "Whatever it says", "auth_failed"),
    (403, "This action is unauthorized.", "permission_denied"),
    (404, "The route organizations/5/sync could not be found.", "endpoint_missing"),
    (404, "", "endpoint_missing"),
    (405, "The GET method is not supported for this route.", "endpoint_missing"),
]


def response(status: int, body: t.Any, method: str = "GET") -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(method, "https://api.example.com/organizations/5/servers/15/applications/88/sync", status, {}, raw)


@pytest.mark.parametrize(("status", "text", "code", "hint"), PUBLISHED)
def test_published_refusals(status: int, text: str, code: str, hint: str) -> None:
    error = responses.interpret(response(status, {"message": text}))
    assert error is not None
    assert (error.code, error.message, error.http_status) == (code, text, status)
    assert hint in error.hint


def test_each_published_refusal_says_something_else_to_do() -> None:
    hints = [meaning.hint for row in PUBLISHED if (meaning := responses.pattern_for(row[1]))]
    assert len(set(hints)) == len(PUBLISHED)


@pytest.mark.parametrize(("status", "text", "code"), ELSEWHERE)
def test_texts_of_other_pages(status: int, text: str, code: str) -> None:
    error = responses.interpret(response(status, {"message": text}))
    assert error is not None
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize(("status", "text", "code", "hint"), PUBLISHED)
@pytest.mark.parametrize(
    "drift",
    [
        lambda text: text.rstrip("!") + ".",
        lambda text: text.rstrip("!"),
        lambda text: text.upper(),
        lambda text: f"  {text.replace(' ', '  ')} ",
        lambda text: text.replace("cannot", "can not"),
        lambda text: text.replace("went really wrong", "went wrong"),
    ],
)
def test_spelling_does_not_matter(drift: t.Callable[[str], str], status: int, text: str, code: str, hint: str) -> None:
    error = responses.interpret(response(status, {"message": drift(text)}))
    assert error is not None
    assert error.code == code
    assert hint in error.hint


@given(st.text())
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    assert responses.normalized(responses.normalized(text)) == responses.normalized(text)


@pytest.mark.parametrize(("status", "text", "code", "hint"), [row for row in PUBLISHED if row[0] == 500])
def test_definite_refusals_among_server_errors(status: int, text: str, code: str, hint: str) -> None:
    error = responses.definite(response(status, {"message": text}))
    assert (error and error.code) == (None if code == "server_error" else code)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html><title>502 Bad Gateway</title>",
        b"",
        b"null",
        b'{"message": null}',
        b'{"message": ["Please wait another process already running!"]}',
        b'{"message": "Server Error"}',
        b'{"message": ""}',
        b'{"message": "The job failed: Please wait another process already running! And more."}',
    ],
)
def test_anything_else_is_not_taken_for_a_refusal(body: bytes) -> None:
    assert responses.definite(response(500, body)) is None


def test_invalid_fields_are_named() -> None:
    errors = {"name": ["The name field is required."], "type": ["The selected type is invalid."]}
    error = responses.interpret(response(422, {"message": "The given data was invalid.", "errors": errors}, "POST"))
    assert error is not None
    assert error.code == "invalid_option"
    assert error.message == "The given data was invalid. The name field is required. The selected type is invalid."


@pytest.mark.parametrize("errors", [None, [], "no", {"name": "The name field is required."}])
def test_invalid_fields_in_other_shapes(errors: t.Any) -> None:
    error = responses.interpret(response(422, {"message": "The given data was invalid.", "errors": errors}))
    assert error is not None
    assert error.message.startswith("The given data was invalid.")


def test_the_hint_says_how_to_get_access() -> None:
    error = responses.interpret(response(401, {"message": "Unauthenticated."}))
    assert error is not None
    assert "API access" in error.hint
    assert "auth_scheme" in error.hint


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_secrets_are_dropped_at_any_depth() -> None:
    body = {
        "server": {
            "id": 15,
            "redis_password": "hidden",
            "databases": [{"name": "shop", "Root_Password": "hidden", "users": [{"apiToken": "hidden"}]}],
            "clientSecret": {"value": "hidden"},
            "ssh_key": "hidden",
        },
        "key": "hidden",
        "list": [["hidden-not", {"token": "hidden"}]],
    }
    kept = responses.without_secrets(body)
    assert kept == {
        "server": {"id": 15, "databases": [{"name": "shop", "users": [{}]}]},
        "list": [["hidden-not", {}]],
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "name", "db_password", "Token", "api_key", "SECRET"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_secret_is_left_and_nothing_else_is_lost(body: t.Any) -> None:
    def expected(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {key: expected(item) for key, item in value.items() if key in ("id", "name")}
        return [expected(item) for item in value] if isinstance(value, list) else value

    assert responses.without_secrets(body) == expected(body)
