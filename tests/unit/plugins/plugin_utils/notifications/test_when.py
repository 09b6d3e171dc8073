# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When somebody is notified."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import check, notify
from tests.unit.plugins.plugin_utils.notifications.receivers import hook, report
from tests.unit.plugins.support.web import Web


class TestWhen:
    @pytest.mark.parametrize(
        ("when", "changed", "ok", "sent"),
        [
            (None, True, True, True),
            (None, False, False, True),
            (None, False, True, False),
            ("changed_or_failed", True, False, True),
            ("changed", True, True, True),
            ("changed", True, False, True),
            ("changed", False, False, False),
            ("failed", True, False, True),
            ("failed", True, True, False),
            ("always", False, True, True),
        ],
    )
    def test_by_what_happened(self, web: Web, when: str | None, changed: bool, ok: bool, sent: bool) -> None:
        done = notify(report(changed=changed, ok=ok), {**hook(web), "when": when})
        assert (len(done), len(web.log)) == (int(sent), int(sent))

    @pytest.mark.parametrize("when", ["always", "changed"])
    def test_never_in_check_mode(self, web: Web, when: str) -> None:
        assert notify(report(check_mode=True), {**hook(web), "when": when}) == []
        assert web.log == []

    @pytest.mark.parametrize("text", ["when: failed", "on: failed", '"on": failed'])
    def test_yaml_reads_on_as_true(self, web: Web, text: str) -> None:
        settings = {**hook(web), **yaml.safe_load(text)}
        assert notify(report(), settings) == []
        assert len(notify(report(ok=False), settings)) == 1

    @pytest.mark.parametrize("settings", [None, {}])
    def test_without_recipients(self, settings: Any) -> None:
        check(settings)
        assert notify(report(ok=False), settings) == []
