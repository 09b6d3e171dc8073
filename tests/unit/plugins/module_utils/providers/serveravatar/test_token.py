# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the API token is sent, and which one is refused."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.common import new_client
from tests.unit.plugins.module_utils.providers.serveravatar.service import OPTIONS, TOKEN, services


@pytest.mark.parametrize("given", [TOKEN, f"  {TOKEN}\n", f"Bearer {TOKEN}", f"bearer  {TOKEN}"])
@pytest.mark.parametrize(("scheme", "sent"), [("raw", TOKEN), ("bearer", f"Bearer {TOKEN}")])
def test_how_the_token_is_sent(given: str, scheme: str, sent: str) -> None:
    wanted = services()
    client = new_client({**OPTIONS, "api_token": given, "auth_scheme": scheme}, wanted)

    class Request:
        headers: t.ClassVar[dict[str, str]] = {}

    for session in (client.reads, client.triggers):
        session.auth(Request)
        assert Request.headers == {"Authorization": sent}
    assert wanted.redactor.text(f"it is {TOKEN}!") == "it is ********!"


@pytest.mark.parametrize("token", ["", "  ", "Bearer ", "two words", "line\nbreak", "tökén"])
def test_what_is_no_token_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(SyncError) as caught:
        new_client({**OPTIONS, "api_token": token}, services())
    assert caught.value.code == "invalid_option"
    assert not token.strip() or token not in f"{caught.value.message} {caught.value.hint}"
