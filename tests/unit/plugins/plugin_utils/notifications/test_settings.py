# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of notifications: which are valid, and which are refused."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import check, notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.settings import _MAIL_SPEC, _WEBHOOK_SPEC, Mail
from tests.unit.plugins.plugin_utils.notifications.receivers import HOOK, MAIL, Json, report


def refused(settings: Any) -> SyncError:
    with pytest.raises(SyncError) as caught:
        check(settings)
    assert caught.value.code == "invalid_option"
    assert caught.value.hint
    for secret in ("hunter2", "sesame"):
        assert secret not in caught.value.message + caught.value.hint
    return caught.value


class TestSettings:
    @pytest.mark.parametrize(
        ("security", "port"), [("none", 25), ("starttls", 587), ("tls", 465), (None, 587)]
    )  # fmt: skip
    def test_ports(self, security: str | None, port: int) -> None:
        seen: list[Mail] = []

        def connect(mail: Mail, timeout: float) -> smtplib.SMTP:
            seen.append(mail)
            raise OSError("no")

        notify(report(), {"mail": {**MAIL, "security": security}}, smtp=connect)
        notify(report(), {"mail": {**MAIL, "security": security, "port": "2525"}}, smtp=connect)
        assert [mail.port for mail in seen] == [port, 2525]

    @pytest.mark.parametrize(
        "more",
        [
            {"attach_report": "yes"},
            {"username": "u", "password": 12345},
            {"username": "u", "password": "x", "security": "none", "host": "localhost"},
            {"username": "u", "password": "x", "security": "none", "host": "::1"},
            {"from": "Ansible <a@b.example>", "subject": "x"},
        ],
    )
    def test_mail_that_works(self, more: Json) -> None:
        check({"mail": {**MAIL, **more}})

    @pytest.mark.parametrize(
        ("more", "key", "part"),
        [
            ({"host": "mx.example/x"}, "host", "'mx.example/x' is not the name of a host"),
            ({"host": " "}, "host", "is not a text of one line"),
            ({"to": "=?utf-8?q?a=0ABcc:_eve@example.com?= <a@b.example>"}, "to", "is not a mail address"),
            ({"from": "=?utf-8?q?a?=@b.example"}, "from", "is not a mail address"),
            ({"port": 0}, "port", "0 is not a port"),
            ({"port": "smtp"}, "port", "'smtp' is not a port"),
            ({"port": True}, "port", "True is not a port"),
            ({"to": []}, "to", "[] is not a list of addresses"),
            ({"to": 5}, "to", "5 is not a list of addresses"),
            ({"to": ["someone"]}, "to", "'someone' is not a mail address"),
            ({"to": "a@b.example\nBcc: c@d"}, "to", "is not a mail address"),
            ({"to": [5]}, "to", "5 is not a mail address"),
            ({"from": "a@b, c@d"}, "from", "is more than one address"),
            ({"from": "ü@b"}, "from", "is not a mail address"),
            ({"subject": "a\nBcc: c@d"}, "subject", "is not a text of one line"),
            ({"security": "ssl"}, "", "value of security must be one of: none, starttls, tls, got: ssl"),
            ({"security": False}, "", "value of security must be one of: none, starttls, tls, got: False"),
            ({"username": "u"}, "", "parameters are required together: username, password"),
            ({"password": "sesame"}, "", "parameters are required together: username, password"),
            ({"username": "u", "password": "sesame\n"}, "password", "is not a text of one line"),
            ({"username": "u", "password": "sesame", "security": "none"}, "security", "would send the password to mx.example"),
            ({"attach_report": "maybe"}, "", "The value 'maybe' is not a valid boolean"),
        ],
    )
    def test_mail_that_does_not(self, more: Json, key: str, part: str) -> None:
        message = refused({"mail": {**MAIL, **more}}).message
        assert message.startswith(f"option staging_promotion_notify.mail{key and '.' + key}: ")
        assert part in message

    @pytest.mark.parametrize(
        ("more", "key", "part"),
        [
            ({"url": "hooks.example/hunter2"}, "url", "is not the address of a web page"),
            ({"url": "ftp://hooks.example/hunter2"}, "url", "is not the address of a web page"),
            ({"url": "https:///hunter2"}, "url", "is not the address of a web page"),
            ({"url": "https://hooks.example:x/hunter2"}, "url", "is not the address of a web page"),
            ({"url": "https://hooks.example/hunter2 x"}, "url", "is not the address of a web page"),
            ({"url": "https://[::1/hunter2"}, "url", "is not the address of a web page"),
            ({"url": 5}, "url", "is not the address of a web page"),
            ({"url": "https://user:sesame@hooks.example/"}, "url", "holds a user name or a password"),
            ({"headers": "X: sesame"}, "", "unable to convert to dict"),
            ({"headers": {"X Y": "sesame"}}, "headers", "'X Y' is not the name of a header"),
            ({"headers": {"X": "sesame\r\nY: 1"}}, "headers.X", "is not the value of a header"),
            ({"headers": {"X": ["sesame"]}}, "headers.X", "is not the value of a header"),
            ({"format": "text"}, "", "value of format must be one of: report, slack, got: text"),
        ],
    )
    def test_webhooks_that_do_not(self, more: Json, key: str, part: str) -> None:
        message = refused({"webhook": {**HOOK, **more}}).message
        assert message.startswith(f"option staging_promotion_notify.webhook{key and '.' + key}: ")
        assert part in message

    @pytest.mark.parametrize(
        ("settings", "option", "part"),
        [
            ("https://hooks.example/hunter2", "staging_promotion_notify", "'str' is not a mapping"),
            ({"when": "failed"}, "staging_promotion_notify", "['when'] has no recipients"),
            ({"webhook": None}, "staging_promotion_notify", "[] has no recipients"),
            ({"webhook": HOOK, "slack": "hunter2"}, "staging_promotion_notify", "'slack' is not a key of it"),
            ({"webhook": HOOK, 1: "hunter2"}, "staging_promotion_notify", "1 is not a key of it"),
            ({"webhook": HOOK, "when": "never"}, "staging_promotion_notify", "value of when must be one of: changed, failed,"),
            ({"webhook": HOOK, "when": "failed", "on": "always"}, "staging_promotion_notify.when", "'failed' is given twice"),
            ({"webhook": "hunter2"}, "staging_promotion_notify.webhook", "'str' is not a mapping"),
            ({"webhook": {"format": "slack"}}, "staging_promotion_notify.webhook", "missing required arguments: url"),
            ({"webhook": {**HOOK, "uri": "hunter2"}}, "staging_promotion_notify.webhook", "'uri' is not a key of it"),
            ({"mail": {"host": "mx.example"}}, "staging_promotion_notify.mail", "missing required arguments: from, to"),
            ({"mail": {**MAIL, "cc": "x@y"}}, "staging_promotion_notify.mail", "'cc' is not a key of it"),
        ],
    )
    def test_other_forms(self, settings: Any, option: str, part: str) -> None:
        message = refused(settings).message
        assert message.startswith(f"option {option}: ")
        assert part in message

    @hypothesis_settings(max_examples=150, deadline=None)
    @given(
        webhook=st.none()
        | st.dictionaries(st.sampled_from(sorted(_WEBHOOK_SPEC)), st.none() | st.integers() | st.text(max_size=9)),
        mail=st.none() | st.dictionaries(st.sampled_from(sorted(_MAIL_SPEC)), st.none() | st.integers() | st.text(max_size=9)),
    )
    def test_anything_is_understood_or_refused(self, webhook: Mapping[str, Any] | None, mail: Mapping[str, Any] | None) -> None:
        """With no other exception than the one for users."""
        for more in (
            {"webhook": webhook, "mail": mail},
            {"webhook": {**HOOK, **(webhook or {})}},
            {"mail": {**MAIL, **(mail or {})}},
        ):
            try:
                check(more)
            except SyncError as error:
                text = error.message + error.hint
            else:
                text = ""
            assert "hunter2" not in text
