# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locations that would be a file of each working directory, so that a release is synced once in each: none of them is used."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import default_path, named_location
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.ledger_users import KEY


@pytest.mark.parametrize("home", ["~", "~/x", "home", "./home", "$HOME", "~no-such-user"])
@pytest.mark.parametrize("environ", [{}, {"XDG_STATE_HOME": "state"}, {"XDG_STATE_HOME": "~/state"}])
def test_a_home_that_is_no_absolute_path_has_no_default(
    home: str, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", home)
    with pytest.raises(SyncError) as caught:
        default_path(environ)
    assert caught.value.code == "invalid_option"
    assert f"HOME is {home!r}, which is not an absolute path" in caught.value.message
    assert "LOCKSTEP_LEDGER" in caught.value.hint


@pytest.mark.parametrize("path", ["$LEDGERS/ledger.sqlite3", "${LEDGERS}/ledger.sqlite3", "$LEDGERS"])
@pytest.mark.parametrize("by_option", [True, False])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_variable_that_is_not_set_is_refused(
    path: str, by_option: bool, read_only: bool, tmp_path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEDGERS", raising=False)
    monkeypatch.chdir(tmp_path)
    location = named_location(path if by_option else None, {} if by_option else {"LOCKSTEP_LEDGER": path})
    with pytest.raises(SyncError, match="the variable that it begins with is not set") as caught:
        RunLedger(location, clock, read_only)
    assert caught.value.code == "invalid_option"
    assert list(tmp_path.iterdir()) == []


def test_a_variable_that_is_set_and_a_sign_in_a_name_are_as_before(
    tmp_path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGERS", str(tmp_path))
    for path in ("$LEDGERS/a", f"{tmp_path}/b$c"):
        RunLedger(named_location(path, {}), clock).intend(KEY, None, {})
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b$c"}
