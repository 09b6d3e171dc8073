# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Anything that a user may write where change windows, notifications or addresses of git, servers and ledgers are wanted."""

from __future__ import annotations

import datetime as dt
import re
import urllib.parse
from typing import Any

from hypothesis import strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import parse_api_url
from ansible_collections.lockstep.sync.plugins.module_utils._probe.address import Address, parse_address
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter import git
from ansible_collections.lockstep.sync.plugins.module_utils._state.location import named_location, secrets_of
from ansible_collections.lockstep.sync.plugins.plugin_utils._change_windows.decision import check as check_windows, judge
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications import notify
from tests.fuzzing import Fuzzer, is_invalid_option, outcome

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TIMES = (
    "22:00,24:00,00:00,7,25:00,22:61,2026-11-20,2026-11-20 22:00,2026-02-30,1h,90m,0,-1h,1w,\u0663:00,9999d,9999-12-31,0001-01-01"
)
CRON = "0 2 * * *,* * * * * *,61 * * * *,@daily,0 0 30 2 *,*/0 * * * *,0 0 29 2 1#5,0 0 L * *"
NAMES = "mon-sun,sat,fri-mon,x-y,mon-,Europe/Berlin,Asia/Kathmandu,UTC,../etc/passwd,/etc/passwd,posix/UTC"
WORDS = st.sampled_from(f"{TIMES},{CRON},{NAMES}".split(",")) | SCALARS | st.dates() | st.datetimes()
KEYS = ("days", "from", "to", "timezone", "cron", "duration", "start", "end", "name", "x")
WEEKLY = st.fixed_dictionaries(
    {"days": st.sampled_from(["mon-sun", "sat", "fri-mon"]), "from": st.integers(0, 1439), "to": st.integers(0, 1440)},
    optional={"timezone": st.sampled_from(["Europe/Berlin", "UTC", "Australia/Lord_Howe"]), "start": WORDS, "end": WORDS},
)
CRONS = st.fixed_dictionaries(
    {"cron": st.sampled_from(CRON.split(",")) | st.text("0123456789*/-, #L", max_size=14), "duration": WORDS}
)
WINDOWS = WEEKLY | CRONS | st.dictionaries(st.sampled_from(KEYS), WORDS | st.lists(WORDS, max_size=3), max_size=5)

PIECES = (
    "-|::|:|/|//|://|@|[|]|%2d|%|%40|_|ssh|ext|https|http|file|postgresql|host|{site}|~|1|99999|?|#|&|=|\\|;| |\n|\ud800|canary|é"
)
ADDRESSES = st.lists(st.sampled_from(PIECES.split("|")), max_size=10).map("".join) | st.text(max_size=20)


def test_change_windows(fuzz: Fuzzer) -> None:
    def check(given: tuple[Any, dt.datetime]) -> None:
        windows, now = given
        found = outcome(lambda: judge(windows, now.replace(tzinfo=dt.timezone.utc)))
        if isinstance(found, SyncError):
            assert is_invalid_option(found)
        else:
            check_windows(windows)
            assert isinstance(found.open, bool) and found.reason

    entries = st.lists(WINDOWS, max_size=3) | WORDS
    settings = st.fixed_dictionaries({}, optional={"allow": entries, "deny": entries}) | WORDS
    fuzz(st.tuples(settings, st.datetimes(dt.datetime(1971, 1, 1), dt.datetime(2200, 1, 1))), check)


def test_git_addresses(fuzz: Fuzzer) -> None:
    def check(value: str) -> None:
        location = outcome(lambda: git.parse_location(value))
        if isinstance(location, SyncError):
            assert location.code == "invalid_option"
            return
        address = location.of("mysite")
        assert not re.match(r"[A-Za-z0-9][A-Za-z0-9+.-]*::", address) and not address.startswith("-")
        assert not location.password or f":{location.password}@" not in address

    fuzz(ADDRESSES, check)


def test_ledger_addresses(fuzz: Fuzzer) -> None:
    """A password is in nothing that is shown, however the address is spelled."""

    def check(given: tuple[str, str, str]) -> None:
        form, before, after = given
        address = form.format(before, after)
        for option, environ in ((address, {}), (None, {"LOCKSTEP_LEDGER": address})):
            secrets_of(option, environ)
            found = outcome(lambda option=option, environ=environ: named_location(option, environ))  # type: ignore[misc]
            shown = f"{found.message} {found.hint}" if isinstance(found, SyncError) else found
            assert not isinstance(found, SyncError) or is_invalid_option(found)
            assert "canary" in before + after or "canary" not in shown

    forms = ["postgresql://{}:canary@host/{}", "postgresql://h/x?{}&password=canary&{}", "postgres://u:canary{}@h{}", "{}{}"]
    fuzz(st.tuples(st.sampled_from(forms), ADDRESSES, ADDRESSES), check)


def test_web_addresses(fuzz: Fuzzer) -> None:
    def check(value: str) -> None:
        address = outcome(lambda: parse_api_url(value))
        if isinstance(address, SyncError):
            assert is_invalid_option(address)
        else:
            assert urllib.parse.urlsplit(address).scheme in ("http", "https")
            assert parse_api_url(address) == address
        probe = outcome(lambda: parse_address("url", value))
        if isinstance(probe, Address):
            assert "@" not in urllib.parse.urlsplit(probe.url).netloc
        else:
            assert is_invalid_option(probe)

    fuzz(ADDRESSES.map(lambda text: f"https://{text}") | ADDRESSES, check)


def test_notification_settings(fuzz: Fuzzer) -> None:
    names = [
        *("when", "webhook", "mail", "url", "headers", "format", "host", "port", "to", "from", "subject", "security"),
        *("password", "username", "allow_http", "attach_report"),
    ]
    addresses = ADDRESSES.map(lambda text: f"https://{text}") | st.sampled_from(["a@b.example", "A <a@b.example>", "@", "x"])
    entries = st.recursive(
        SCALARS | ADDRESSES | addresses,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(names), inner, max_size=5),
        max_leaves=8,
    )
    hook = st.fixed_dictionaries({"url": addresses | entries}, optional={"headers": entries, "format": entries})
    mail = st.fixed_dictionaries(
        {"host": entries, "to": entries | addresses, "from": entries | addresses}, optional={"port": entries}
    )
    settings = st.fixed_dictionaries({}, optional={"webhook": hook, "mail": mail, "when": entries})

    def check(value: Any) -> None:
        found = outcome(lambda: notify.check(value))
        assert found is None or is_invalid_option(found)

    fuzz(settings | entries, check)
