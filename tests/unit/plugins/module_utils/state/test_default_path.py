# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the ledger is unless a task says so, and for users without a home directory."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import default_path
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import RunLedger
from tests.unit.plugins.support.clocks import FakeClock
from tests.unit.plugins.support.ledger_users import KEY


def test_the_default_is_below_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/operator")
    assert default_path({"XDG_STATE_HOME": "/state"}) == "/state/lockstep/ledger.sqlite3"
    assert default_path({}) == "/home/operator/.local/state/lockstep/ledger.sqlite3"


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id without an entry in passwd, and no HOME, as in a container with any user id."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("environ", [{}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "state"}])
def test_without_a_home_there_is_no_default(environ: dict[str, str]) -> None:
    with pytest.raises(SyncError, match=r"option ledger: the default .*: HOME is not set, and user id") as caught:
        default_path(environ)
    assert caught.value.code == "invalid_option"
    assert all(name in caught.value.hint for name in ("ledger", "ledger_path", "LOCKSTEP_LEDGER", "HOME"))


@pytest.mark.usefixtures("homeless")
def test_without_a_home_a_state_directory_will_do() -> None:
    assert default_path({"XDG_STATE_HOME": "/state"}) == "/state/lockstep/ledger.sqlite3"


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("path", ["~/ledger.sqlite3", "~", "~no-such-user/ledger.sqlite3"])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_home_that_is_not_there_is_refused(
    path: str, read_only: bool, tmp_path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwd.getpwnam", {}.__getitem__)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SyncError, match=r"option ledger: .* no such home directory") as caught:
        RunLedger(path, clock, read_only)
    assert caught.value.code == "invalid_option"
    assert "LOCKSTEP_LEDGER" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_file_whose_name_begins_with_a_tilde_is_named_by_its_path(
    tmp_path: pathlib.Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    RunLedger("./~ledger", clock).intend(KEY, None, {})
    assert (tmp_path / "~ledger").exists()
