# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Webhooks: what is sent, and how failures are reported."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications import webhook as _webhook
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.announcement import MAX_LINES
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import notify
from tests.unit.plugins.plugin_utils.notifications.receivers import SECRET_PATH, Json, Serve, hook, only, report, target
from tests.unit.plugins.support.web import Reply, Web


class TestWebhook:
    def test_gets_the_brief_report(self, web: Web) -> None:
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is True
        assert sent["text"] == f"posted to {web.url} (200)"
        (request,) = web.log
        assert request.line == f"POST {SECRET_PATH}"
        assert request.headers["Content-Type"] == "application/json"
        assert json.loads(request.body) == {
            "verdict": "succeeded",
            "ok": True,
            "changed": True,
            "message": "succeeded: 2 targets.",
            "run": "p-20261120-214512-3f09ac",
            "release": "1.4.2",
            "started_at": "2026-11-20T21:45:12Z",
            "finished_at": "2026-11-20T21:47:12Z",
            "summary": {"targets": 2, "succeeded": 2},
            "targets": [
                {"name": "shop", "verdict": "succeeded", "reason": "synced and verified"},
                {"name": "blog", "verdict": "succeeded", "reason": "nothing to do"},
            ],
        }

    def test_slack(self, web: Web) -> None:
        odd = report(targets=[target("shop", "failed", "<!channel> & <https://evil.example|here>")])
        assert notify(odd, hook(web, format="slack"))[0]["ok"]
        assert json.loads(web.log[0].body) == {
            "text": "succeeded: 2 targets.\n• shop: failed. &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;"
        }

    def test_many_targets_are_cut_for_people_only(self, web: Web) -> None:
        many = report(targets=[target(f"t{index}") for index in range(MAX_LINES + 7)])
        notify(many, hook(web, format="slack"))
        notify(many, hook(web))
        lines = json.loads(web.log[0].body)["text"].splitlines()
        assert (len(lines), lines[-1]) == (MAX_LINES + 2, "• and 7 more")
        assert len(json.loads(web.log[1].body)["targets"]) == MAX_LINES + 7

    def test_headers(self, web: Web) -> None:
        notify(report(), hook(web, headers={"Authorization": "Bearer abc", "X-Number": 5, "Content-Type": "text/json"}))
        headers = web.log[0].headers
        assert (headers["Authorization"], headers["X-Number"], headers["Content-Type"]) == ("Bearer abc", "5", "text/json")

    def test_netrc_is_left_alone(self, web: Web) -> None:
        notify(report(), hook(web))
        assert "Authorization" not in web.log[0].headers

    def test_redirects_are_not_followed(self, web: Web) -> None:
        web.responder = lambda request: Reply(307, headers={"Location": web.url + "/elsewhere"})
        sent = only(notify(report(), hook(web)), "webhook")
        assert (sent["ok"], sent["text"]) == (False, f"{web.url} answered 307, and redirects are not followed")
        assert len(web.log) == 1

    @pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
    def test_its_answer_decides(self, web: Web, status: int) -> None:
        web.responder = lambda request: Reply(status, SECRET_PATH.encode())
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is (status == 204)
        assert str(status) in sent["text"]
        # no second attempt
        assert len(web.log) == 1

    def test_the_page_that_it_answers_is_not_waited_for(self, web: Web) -> None:
        web.responder = lambda request: Reply(200, b"a page that breaks off", end="half")
        assert only(notify(report(), hook(web)), "webhook")["ok"]

    @pytest.mark.parametrize("end", ["close", "reset"])
    def test_hanging_up(self, web: Web, end: str) -> None:
        web.responder = lambda request: Reply(end=end)
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is False
        assert sent["text"].startswith(f"cannot talk to {web.url}: ")

    def test_silence(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_webhook, "REQUEST_TIMEOUT", 0.2)
        web.responder = lambda request: Reply(end="hang")
        sent = only(notify(report(), hook(web)), "webhook")
        assert (sent["ok"], sent["text"]) == (False, f"no answer from {web.url} within 0.2 s")

    def test_a_refused_connection(self, web: Web) -> None:
        web.stop()
        sent = only(notify(report(), hook(web)), "webhook")
        assert (sent["ok"], sent["text"]) == (False, f"cannot talk to {web.url}: Connection refused")

    def test_a_certificate_that_is_not_trusted(self, certificate: tuple[str, str]) -> None:
        server = Web(lambda request: Reply(200), tls=certificate)
        sent = only(notify(report(), hook(server)), "webhook")
        server.stop()
        assert sent["ok"] is False
        assert sent["text"].startswith(f"TLS with {server.url} failed: ")
        assert server.log == []

    @pytest.mark.parametrize("raised", [ValueError, OSError, RuntimeError])
    def test_texts_hold_no_secrets(self, raised: type[Exception]) -> None:
        url = f"https://hooks.example{SECRET_PATH}?key=swordfish99"

        class Session:
            def post(self, address: str, **options: Any) -> Any:
                # as requests might
                raise raised(f"cannot POST {address}, path {SECRET_PATH}, part hunter2hunter2, with {options['headers']}")

            def close(self) -> None:
                """Nothing to close."""

        settings = {"webhook": {"url": url, "headers": {"X-Token": "sesame42"}}}
        sent = only(notify(report(), settings, session=Session), "webhook")
        assert sent["ok"] is False
        assert "hooks.example" in sent["text"]
        for secret in ("hunter2", "swordfish", "sesame42", "T0000"):
            assert secret not in sent["text"]

    def test_without_requests(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_webhook.transport, "REQUESTS_IMPORT_ERROR", "ImportError: no")
        sent = only(notify(report(), hook(web)), "webhook")
        assert sent["ok"] is False
        assert "(requests) on " in sent["text"]


class TestBoth:
    def test_one_failing_does_not_keep_the_other(self, web: Web, serve: Serve) -> None:
        mailbox = serve()
        web.responder = lambda request: Reply(500)
        sent = notify(report(), {**hook(web), **mailbox.settings()})
        assert [(item["channel"], item["ok"]) for item in sent] == [("webhook", False), ("mail", True)]
        assert len(mailbox.envelopes) == 1

    @pytest.mark.parametrize("odd", [{}, {"targets": None}, {"targets": [{}]}, {"message": None, "changed": dt.date(2026, 1, 1)}])
    def test_a_report_in_part(self, web: Web, serve: Serve, odd: Json) -> None:
        mailbox = serve()
        settings = {**hook(web), **mailbox.settings(attach_report=True)}
        assert [item["ok"] for item in notify(odd, settings)] == [True, True]
        assert notify(odd, hook(web, format="slack"))[0]["ok"]
