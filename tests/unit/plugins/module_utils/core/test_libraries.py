# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

from ansible_collections.lockstep.sync.plugins.module_utils._core.libraries import missing_library


def test_the_message_has_the_command_that_installs_the_library() -> None:
    message = missing_library("dnspython")

    assert "(dnspython)" in message
    assert message.endswith(f". To install it there: {sys.executable} -m pip install dnspython")


def test_the_message_says_what_the_library_is_for() -> None:
    assert "for change windows by cron" in missing_library("cronsim", reason="for change windows by cron")
