# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules for Crafter Studio: which version gets which call, and what its answers and words mean."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter import (
    api,
    provider as crafter,
    publish as crafter_publish,
)
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.auth import StudioCredentials
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.publish_calls import PublishRequest, choose_call

HTML = b"<html><body><h1>HTTP Status 404</h1></body></html>"
PREFIX = "Internal server error: \n"
SERVICE = "org.craftercms.studio.api.v1.exception.ServiceLayerException: org.eclipse.jgit.api.errors."


def response(status: int, message: str | None = None, code: int | None = None, **fields: t.Any) -> Response:
    if message is None:
        return Response("POST", "https://studio.example/studio/x?token=abc", status, {"Content-Type": "text/html"}, HTML)
    body: dict[str, t.Any] = {"message": message}
    if code is not None:
        body = {"response": {"code": code, "message": message, "remedialAction": "", "documentationUrl": ""}, **fields}
    return Response("POST", "https://studio.example/studio/x?token=abc", status, {}, json.dumps(body).encode())


def code_of(call: t.Callable[[], t.Any]) -> str:
    """The result, or the code of the failure."""
    try:
        return str(call())
    except SyncError as error:
        return error.code if error.hint else f"{error.code} without a hint"


# -- versions --------------------------------------------------------------------------------------------------------------

ENDPOINT = [
    ("3.0.0", "endpoint_missing"),
    ("3.0.13", "endpoint_missing"),
    ("3.0.14", "reset-staging"),
    ("3.0.27", "reset-staging"),
    ("3.1.31E", "reset-staging"),
    ("4.0.0", "reset-staging"),
    ("4.1.9", "reset-staging"),
    ("4.1.10-SNAPSHOT", "reset-staging"),
    ("4.2.0-SNAPSHOT", "endpoint_missing"),
    ("4.2", "endpoint_missing"),
    ("4.10.0", "endpoint_missing"),
    ("5.0.0", "endpoint_missing"),
    ("nightly", "reset-staging"),
    (None, "reset-staging"),
]


@pytest.mark.parametrize(("version", "endpoint"), ENDPOINT)
def test_endpoint_by_version(version: str | None, endpoint: str) -> None:
    parsed = api.parse_version(version)
    assert code_of(lambda: api.choose_endpoint("auto", parsed)) == endpoint
    assert code_of(lambda: api.choose_endpoint("reset-staging", parsed)) == endpoint
    # no version reveals the endpoint that was never released
    assert api.choose_endpoint("sync-staging", parsed) == "sync-staging"


@pytest.mark.parametrize("text", ["", "4", "x4.1.0", None, 4.1, "4..1", {"version": "4.1.0"}])
def test_no_version(text: t.Any) -> None:
    assert api.parse_version(text) is None


# -- messages --------------------------------------------------------------------------------------------------------------

MESSAGES = [
    (400, "Invalid parameter(s)", None, "invalid_option"),
    (400, "Invalid parameter(s): [site_id, environment]", None, "invalid_option"),
    (400, "Invalid parameter: site_id", None, "invalid_option"),
    (400, "Invalid parameter(s) : Missing parameter: 'token'", 1001, "invalid_option"),
    (400, "Bad Request", None, "bad_response"),
    (400, "REST script not found", None, "endpoint_missing"),
    (404, "REST script not found", None, "endpoint_missing"),
    (404, None, None, "endpoint_missing"),
    (405, None, None, "endpoint_missing"),
    (404, "Site not found", None, "not_found"),
    (404, "Site not found", 5000, "not_found"),
    (404, "Content not found:Publishing target 'x' not found in site 'y'", 7000, "not_found"),
    (404, "User not found", 6000, "not_found"),
    (404, "Environment not found", None, "invalid_option"),
    (401, "Unauthorized", None, "auth_failed"),
    (401, "Unauthenticated", 2000, "auth_failed"),
    (401, "Unauthorized", 2001, "auth_failed"),
    (401, None, None, "auth_failed"),
    (403, None, None, "permission_denied"),
    (403, "Unauthorized", 2001, "permission_denied"),
    (400, "Invalid site state", 5002, "busy"),
    (409, "Content is locked", 7002, "busy"),
    (500, "Internal server error", None, "server_error"),
    (500, PREFIX + "java.lang.NullPointerException", None, "server_error"),
    (500, "Internal system failure: x", 1000, "server_error"),
    (500, None, None, None),
    (503, None, None, None),
    (400, None, None, None),
]


@pytest.mark.parametrize(("status", "message", "code", "meaning"), MESSAGES)
def test_messages(status: int, message: str | None, code: int | None, meaning: str | None) -> None:
    error = api.interpret(response(status, message, code))
    assert (error.code if error else None) == meaning
    if error is not None:
        assert error.hint and error.http_status == status and "token=abc" not in error.message


def test_refusals_with_and_without_a_session_are_distinguished() -> None:
    codes = {
        (method, message): t.cast(SyncError, api.interpret(response(401, message), method)).code
        for method in ("session", "token")
        for message in ("Unauthorized", None)
    }
    assert codes.pop(("session", "Unauthorized")) == "permission_denied"
    assert set(codes.values()) == {"auth_failed"}


def test_the_management_token_is_named() -> None:
    assert "management_token" in t.cast(SyncError, api.interpret(response(401, "Unauthorized", 2001))).hint


def test_fields_that_are_invalid_are_named() -> None:
    errors = [{"field": "items[0]", "message": "is not a valid path"}]
    error = api.interpret(response(400, "Invalid parameter(s)", 1001, validationErrors=errors))
    assert error is not None and "items[0] is not a valid path" in error.message


FAILURES = [
    ("reset-staging", None, "java.lang.NullPointerException", "not_found"),
    ("reset-staging", True, "java.lang.NullPointerException", None),
    ("sync-staging", None, "java.lang.NullPointerException", "not_found"),
    ("reset-staging", True, SERVICE + "RefNotFoundException: Ref live cannot be resolved", "not_found"),
    ("sync-staging", None, SERVICE + "RefNotFoundException: Ref live cannot be resolved", None),
    ("sync-staging", None, SERVICE + "CannotDeleteCurrentBranchException: Branch staging is checked out", "server_error"),
    ("reset-staging", True, SERVICE + "JGitInternalException: lock", None),
    ("reset-staging", None, "", None),
]


@pytest.mark.parametrize(("endpoint", "published", "exception", "meaning"), FAILURES)
def test_failures_that_come_before_the_branch_moves(
    endpoint: str, published: bool | None, exception: str, meaning: str | None
) -> None:
    evidence = crafter.SiteEvidence("staging", "live", endpoint, published)
    error = crafter.refused_before_reset(response(500, PREFIX + exception), "mysite", evidence)
    assert (error.code if error else None) == meaning
    assert crafter.refused_before_reset(response(502, PREFIX + exception), "mysite", evidence) is None
    assert crafter.refused_before_reset(response(500), "mysite", evidence) is None


# -- what Studio reports ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("enabled", "status", "state"),
    [
        (True, "ready", "idle"),
        (None, "idle", "idle"),
        (True, "readyWithErrors", "idle"),
        (None, "started", "idle"),
        (True, "", "idle"),
        (True, "queued", "busy"),
        (True, "processing", "busy"),
        (True, "publishing", "busy"),
        (None, "busy", "busy"),
        (True, "a word of tomorrow", "busy"),
        (False, "queued", "stopped"),
        (None, "stopped", "stopped"),
        (False, "error", "error"),
    ],
)
def test_publisher(enabled: bool | None, status: str, state: str) -> None:
    assert api.Publisher(enabled, status).state == state


def test_site_config() -> None:
    text = "<?xml version='1.0' encoding='UTF-8'?><site-config><published-repository>{}</published-repository></site-config>"
    assert api.published_repository(text.format("<staging-environment> qa </staging-environment>")) == {
        "staging-environment": "qa"
    }
    assert api.published_repository("<site-config/>") == {}
    for broken in ("", "<site-config>", "<!DOCTYPE x [<!ENTITY a 'b'>]><site-config>&a;</site-config>"):
        assert code_of(lambda broken=broken: api.published_repository(broken)) == "bad_response"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", "../etc", "a/b", "a b", "-x", "a..b", "{site}"])
def test_site_ids_that_are_refused(name: str) -> None:
    assert code_of(lambda: api.check_site(name)) == "invalid_option"


# -- credentials -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"api_token": "t", "username": "u", "password": "p"}, "token"),
        ({"username": "u", "password": "p"}, "password"),
        ({"username": "u", "password": "p", "auth_method": "session"}, "session"),
        ({"api_token": "t", "username": "u", "password": "p", "auth_method": "basic"}, "basic"),
        ({"username": "u:v", "password": "p", "auth_method": "basic"}, "invalid_option"),
        ({"username": "u"}, "invalid_option"),
        ({"password": "p"}, "invalid_option"),
        ({"api_token": "two words"}, "invalid_option"),
        ({"username": "u", "password": "p", "auth_method": "token"}, "invalid_option"),
        ({}, "invalid_option"),
    ],
)
def test_credentials(given: dict[str, str], expected: str) -> None:
    assert code_of(lambda: StudioCredentials.of({"auth_method": "auto", **given}).method) == expected


# -- publishing ------------------------------------------------------------------------------------------------------------

ITEMS = PublishRequest("mysite", "live", ("/a.xml",))
ALL = PublishRequest("mysite", "live", ())


@pytest.mark.parametrize(
    ("version", "items", "everything"),
    [
        ("3.0.10", "endpoint_missing", "bulk-golive.json"),
        ("3.0.11", "publish-items.json", "bulk-golive.json"),
        ("3.1.23", "publish-items.json", "bulk-golive.json"),
        ("3.1.24", "publish-items.json", "all"),
        ("4.0.0", "publish", "all"),
        ("4.5.1", "publish", "all"),
        ("5.0.0", "package", "package"),
        (None, "publish", "all"),
    ],
)
def test_call_by_version(version: str | None, items: str, everything: str) -> None:
    parsed = api.parse_version(version)
    chosen = [
        code_of(lambda order=order: choose_call(parsed, order, "c").path.rpartition("/")[2])  # type: ignore[misc]
        for order in (ITEMS, ALL)
    ]
    assert chosen == [items, everything]


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([], "absent"),
        (["READY_FOR_LIVE"], "running"),
        (["COMPLETED", "PROCESSING"], "running"),
        (["COMPLETED", "COMPLETED"], "succeeded"),
        (["COMPLETED", "BLOCKED"], "failed"),
        (["CANCELLED"], "failed"),
        (["SOMETHING"], "unknown"),
    ],
)
def test_package_states(states: list[str], state: str) -> None:
    assert crafter_publish.state_of(states)[0] == state


@pytest.mark.parametrize(
    ("bits", "state"),
    [
        (1, "running"),
        (2, "running"),
        (4 | 32, "running"),
        (4 | 32 | 256, "succeeded"),
        (8 | 256, "failed"),
        (16 | 256, "failed"),
        (128, "failed"),
        (512, "failed"),
    ],
)
def test_package_bits(bits: int, state: str) -> None:
    assert crafter_publish.state_of_bits(bits)[0] == state


def test_orders_of_other_items_are_other_targets() -> None:
    orders = [
        ITEMS,
        ALL,
        PublishRequest("mysite", "staging", ("/a.xml",)),
        PublishRequest("mysite", "live", ("/b.xml",)),
    ]
    assert len({order.id for order in orders}) == 4
    swapped = [PublishRequest("mysite", "live", items).id for items in (("/a", "/b"), ("/b", "/a"))]
    assert swapped[0] == swapped[1]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"items": [" /a ", "/a"], "everything": False}, "('/a',)"),
        ({"items": None, "everything": True}, "()"),
        ({"items": ["/a"], "everything": True}, "invalid_option"),
        ({"items": [], "everything": False}, "invalid_option"),
        ({"items": ["a"], "everything": False}, "invalid_option"),
        ({"items": ["/a/../b"], "everything": False}, "invalid_option"),
        ({"items": ["/a\nb"], "everything": False}, "invalid_option"),
        # a connection of sync_wait
        ({}, "()"),
    ],
)
def test_items(given: dict[str, t.Any], expected: str) -> None:
    assert code_of(lambda: crafter_publish._items(given)) == expected
