# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that git or ssh would take for something else than https, http, ssh, a file or a path."""

from __future__ import annotations

import re
import urllib.parse

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter import git
from tests.properties import thorough

ODD = [
    "git://git.example/x",
    "x_y::z",
    "ext::sh -c touch% x",
    "a.b+c::x",
    "[ext::x]:y",
    "[a_b::c]:d",
    "[-oProxyCommand=x]:y",
    "user@[-oProxyCommand=x]:y",
    "[host:22]:x",
    "a[b:c",
    "host:-x",
    "host::x",
    "x_y://z",
    "{site}://host/x",
    "ssh://[-oProxyCommand=x]/y",
    "ssh://user@[-x]/y",
    "ssh://%2doProxyCommand=x/y",
    "ssh://%2doProxyCommand=x@host/y",
    "ssh://host:-p/y",
    "ssh://host:22x/y",
    "ssh://host?x/y",
    "ssh://host\\x/y",
    "ssh+git://host/x",
    "http://[ext::x]/y",
    "https://h%2dx/y",
    "file://-x/y",
    "~no-such-user:x",
    "~no-such-user/x",
    "~\ud800",
    "/srv/\ud800",
    "https://host/\udfff",
]

GOOD = [
    "ssh://git@[::1]:22/x",
    "git@[2001:db8::1]:x",
    "https://{site}.git.example/x",
    "ssh://git.example/~/x",
    "git.example:~/x",
    "me+ci@git.example:x y",
    "/srv/a:b/x::y",
    "https://token@git.example/x",
]


@pytest.mark.parametrize("value", ODD)
def test_an_odd_spelling_is_refused(value: str) -> None:
    with pytest.raises(SyncError) as caught:
        git.parse_location(value)
    assert caught.value.code == "invalid_option"
    assert value not in caught.value.message


@pytest.mark.parametrize("value", GOOD)
def test_the_usual_spellings_are_accepted(value: str) -> None:
    assert git.parse_location(value).address == value.replace("token@", "")


PIECES = st.sampled_from(
    [
        "-",
        "::",
        ":",
        "/",
        "//",
        "://",
        "@",
        "[",
        "]",
        "%2d",
        "%",
        "_",
        "ssh",
        "ext",
        "https",
        "file",
        "host",
        "{site}",
        "~",
        "1",
        "?",
        "\\",
        " ",
    ]
)


@thorough(400)
@given(st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=20))
def test_whatever_is_accepted_has_one_meaning_only(value: str) -> None:
    try:
        address = git.parse_location(value).of("mysite")
    except SyncError:
        return
    # as transport.c and connect.c of git read it: a helper is what stands before two colons
    assert not re.match(r"[A-Za-z0-9][A-Za-z0-9+.-]*::", address)
    assert not address.startswith("-")
    scheme, separator, rest = address.partition("://")
    if address.startswith("/"):
        return
    assert not separator or scheme in ("file", "http", "https", "ssh") or ":" in scheme
    host = (rest if separator and ":" not in scheme else address.partition(":")[0]).partition("/")[0]
    for part in host.split("@"):
        assert not urllib.parse.unquote(part).lstrip("[").startswith("-")
