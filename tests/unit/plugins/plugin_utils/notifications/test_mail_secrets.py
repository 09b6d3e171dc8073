# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mail server repeats of a login."""

from __future__ import annotations

import base64
import smtplib

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import notify
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.settings import Mail
from tests.unit.plugins.plugin_utils.notifications.receivers import MAIL, only, report

PASSWORD = "correct horse"


@pytest.mark.parametrize("sent", [PASSWORD, base64.b64encode(f"\0joe\0{PASSWORD}".encode()).decode(), "correct&#32;horse"])
def test_it_is_masked_and_harmless(sent: str) -> None:
    def connect(mail: Mail, timeout: float) -> smtplib.SMTP:
        raise smtplib.SMTPResponseException(500, f"AUTH PLAIN {sent} \x1b[2J is odd".encode())

    delivery = only(notify(report(), {"mail": {**MAIL, "username": "joe", "password": PASSWORD}}, smtp=connect), "mail")
    assert delivery["text"].endswith("it answered 500 AUTH PLAIN ******** \ufffd[2J is odd")
