# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What names a ledger: a path or the address of a database, in an option or in the environment, and where a password may be."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, sentences
from ansible_collections.lockstep.sync.plugins.module_utils._state.database_address import DatabaseAddress
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import named_location, open_store, secrets_of
from tests.unit.plugins.support.clocks import FakeClock

ADDRESS = "postgresql://ops@db.example.com:5432/ledger?sslmode=verify-full"


@pytest.mark.parametrize(
    ("written", "text", "secrets"),
    [
        (ADDRESS, ADDRESS, {}),
        ("postgresql://ops:s3cret@db/ledger", "postgresql://ops@db/ledger", {"password": "s3cret"}),
        ("postgres://ops:s%40cr%2Fet@db/ledger", "postgres://ops@db/ledger", {"password": "s@cr/et"}),
        ("postgresql://db/ledger?password=x%26y", "postgresql://db/ledger", {"password": "x&y"}),
        ("postgresql://db/l?sslmode=require&sslpassword=k3y", "postgresql://db/l?sslmode=require", {"sslpassword": "k3y"}),
        ("postgresql:///ledger?host=/run/postgresql", "postgresql:///ledger?host=/run/postgresql", {}),
        ("postgresql://", "postgresql://", {}),
        ("postgresql://ops@a:1,[::1]:2,c/l?target_session_attrs=read-write", None, {}),
        ("postgresql:///?service=ledger", "postgresql:///?service=ledger", {}),
        ("postgresql://ops:@db/ledger", "postgresql://ops@db/ledger", {}),
    ],
)
def test_an_address_is_taken_apart(written: str, text: str | None, secrets: dict[str, str]) -> None:
    address = DatabaseAddress.parse(written, "ledger")
    assert (address.text, address.secrets) == (written if text is None else text, secrets)


@pytest.mark.parametrize(
    "written",
    [
        # passwords whose special characters are not encoded, so that other parts of the address seem to begin in them
        "postgresql://ops:s3/cret@db/ledger",
        "postgresql://ops:12/s3cret@db/ledger",
        "postgresql://ops:s3#cret@db/ledger",
        "postgresql://ops:12#s3cret@db/ledger",
        "postgresql://ops:s3?cret@db/ledger",
        "postgresql://ops:12?s3cret@db/ledger",
        "postgresql://ops:12?a=s3cret@db/ledger",
        "postgresql://ops:s3@cret@db/ledger",
        "postgresql://ops:s3cret",
        "postgresql://[s3cret/ledger",
        "postgresql://ops:s3cret@db:port/ledger",
    ],
)
@pytest.mark.parametrize("by_environment", [False, True])
def test_what_cannot_be_read_is_refused_and_no_part_of_it_is_shown(written: str, by_environment: bool) -> None:
    given, environ = (None, {"LOCKSTEP_LEDGER": written}) if by_environment else (written, {})
    with pytest.raises(SyncError, match="cannot be read") as caught:
        named_location(given, environ)
    assert caught.value.code == "invalid_option"
    text = sentences(caught.value.message, caught.value.hint)
    assert not any(part in text for part in ("s3", "cret", "12"))
    assert written in secrets_of(given, environ)


@pytest.mark.parametrize(
    "written", ["mysql://ops:s3cret@db/ledger", "sqlite:///l", "postgresql+psycopg://db", "PostgreSQL://db/l"]
)
def test_an_address_of_something_else_is_no_file(written: str, clock: FakeClock) -> None:
    with pytest.raises(SyncError, match="is not a kind of ledger") as caught:
        named_location(written, {})
    assert "s3cret" not in caught.value.message
    with pytest.raises(SyncError, match="is not a kind of ledger"):
        open_store(written, clock, False, "ledger")


@pytest.mark.parametrize("written", ["postgresql://ops:s3cret@db/ledger", "postgresql://ops@db/ledger?password=s3cret"])
def test_a_password_in_an_option_is_refused_with_the_remedy(written: str, clock: FakeClock) -> None:
    with pytest.raises(SyncError, match=r"^option its_name: .*'postgresql://ops@db/ledger' was given with a password") as caught:
        named_location(written, {}, "its_name")
    assert "LOCKSTEP_LEDGER_PASSWORD" in caught.value.hint
    assert "s3cret" not in sentences(caught.value.message, caught.value.hint)
    with pytest.raises(SyncError, match="was given with a password"):
        open_store(written, clock, False, "ledger")


def test_the_environment_may_have_one_and_it_is_hidden() -> None:
    environ = {"LOCKSTEP_LEDGER": "postgresql://ops:s%40cret@db/ledger", "PGPASSWORD": "other", "LOCKSTEP_LEDGER_PASSWORD": "own"}
    assert named_location(None, environ) == "postgresql://ops@db/ledger"
    assert set(secrets_of(None, environ)) == {"s@cret", "s%40cret", "other", "own"}


def test_the_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE", "/state")
    environ = {"LOCKSTEP_LEDGER": "$STATE/ledger"}
    assert named_location(None, environ) == "/state/ledger"
    assert named_location("$STATE/other", environ) == "/state/other"
    assert named_location(ADDRESS, environ) == ADDRESS
    assert named_location("", {}) == ""


def test_a_file_has_no_secrets() -> None:
    assert secrets_of("/state/ledger", {"PGPASSWORD": "s3cret"}) == []
    assert secrets_of(None, {"PGPASSWORD": "s3cret"}) == []
