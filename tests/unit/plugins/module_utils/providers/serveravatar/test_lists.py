# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of ServerAvatar: pages in whatever wrapper, and things found in them by name."""

from __future__ import annotations

import itertools
import json
import random
import typing as t
import urllib.parse

import pytest
from hypothesis import assume, given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar import api
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.common import Directory, pick
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.rows import ApplicationRow, Server
from tests.unit.plugins.support.clocks import FakeClock


def response(body: t.Any) -> Response:
    return Response("GET", "https://api.example.com/list", 200, {}, json.dumps(body).encode())


class Lists:
    """A channel to lists that are paginated as Laravel does it.

    :param wrapped: whether the paginator stands under the key of the list.
    """

    def __init__(self, lists: dict[str, list[dict[str, t.Any]]], per_page: int = 10, wrapped: bool = True) -> None:
        self.lists, self.per_page, self.wrapped = lists, per_page, wrapped
        self.asked: list[str] = []
        self.deadline = Deadline(FakeClock(), 900)

    def observe(self, path: str, params: dict[str, t.Any] | None = None) -> Response:
        given = {key: value for key, value in (params or {}).items() if value is not None}
        self.asked.append(f"{path}?{urllib.parse.urlencode(given)}")
        name = path.rpartition("/")[2]
        rows, page = self.lists[name], int(given.get("page", 1))
        start = (page - 1) * self.per_page
        body: dict[str, t.Any] = {
            "current_page": page,
            "data": rows[start : start + self.per_page],
            "last_page": max(1, -(-len(rows) // self.per_page)),
            "total": len(rows),
        }
        return response({name: body} if self.wrapped else body)


def channel(lists: Lists) -> Channel:
    return t.cast(Channel, lists)


ROWS = [{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]


def as_it_is(row: dict[str, t.Any]) -> dict[str, t.Any]:
    return row


@pytest.mark.parametrize(
    ("body", "pages"),
    [
        ({"things": ROWS}, 1),
        (ROWS, 1),
        ({"things": {"current_page": 1, "data": ROWS, "last_page": 3}}, 3),
        ({"current_page": 1, "data": ROWS, "last_page": 3}, 3),
        ({"things": {"data": {"0": ROWS[0], "2": ROWS[1]}, "last_page": 1}}, 1),
        ({"data": ROWS}, 1),
    ],
)
def test_every_wrapper_is_opened(body: t.Any, pages: int) -> None:
    assert api.page_of(response(body), "things", as_it_is) == (ROWS, pages)


def test_an_empty_list_is_a_list() -> None:
    empty = {"current_page": 1, "data": [], "from": None, "to": None, "last_page": 1, "total": 0}
    assert api.page_of(response({"things": empty}), "things", as_it_is) == ([], 1)
    assert api.page_of(response(empty), "things", as_it_is) == ([], 1)
    assert api.page_of(response([]), "things", as_it_is) == ([], 1)


@pytest.mark.parametrize("body", [None, "text", 5, {}, {"message": "hello"}, {"things": None}, {"things": [1]}, {"things": [{}]}])
def test_what_is_no_list_is_an_error(body: t.Any) -> None:
    with pytest.raises(SyncError) as caught:
        api.page_of(response(body), "things", as_it_is)
    assert caught.value.code == "bad_response"


def test_secrets_in_rows_are_dropped() -> None:
    rows, _pages = api.page_of(response({"servers": [{"id": 1, "redis_password": "hidden"}]}), "servers", as_it_is)
    assert rows == [{"id": 1}]


@given(st.integers(0, 60), st.integers(1, 12), st.booleans())
def test_all_pages_are_read_once(count: int, per_page: int, wrapped: bool) -> None:
    rows = [{"id": number} for number in range(count)]
    lists = Lists({"servers": rows}, per_page, wrapped)
    assert api.list_servers(channel(lists), 5) == [Server.from_json(row) for row in rows]
    assert len(lists.asked) == max(1, -(-count // per_page))
    assert all("pagination=1" in asked for asked in lists.asked)


def test_a_server_that_ignores_the_page_is_not_asked_for_ever() -> None:
    class Stuck:
        asked = 0

        def observe(self, path: str, params: t.Any = None) -> Response:
            self.asked += 1
            return response({"data": [{"id": 1}], "last_page": 10**9})

    stuck = Stuck()
    api.list_all(t.cast(Channel, stuck), "/things", "things", as_it_is)
    assert stuck.asked == api.MAX_PAGES


# -- backups, of which the order is not documented -------------------------------------------------------------------


@given(st.sets(st.integers(1, 500), max_size=45), st.integers(1, 10), st.booleans())
def test_newest_backups_come_first_in_whatever_order_they_are_listed(ids: set[int], per_page: int, newest_first: bool) -> None:
    rows = [{"id": number} for number in sorted(ids, reverse=newest_first)]
    lists = Lists({"backups": rows}, per_page, wrapped=False)
    assert [row.id for row in api.newest_backups(channel(lists), 5)] == sorted(ids, reverse=True)


def test_an_unsorted_list_is_read_as_a_whole() -> None:
    rows = [{"id": number} for number in (5, 9, 1, 12, 3, 11, 2)]
    lists = Lists({"backups": rows}, 3, wrapped=False)
    assert [row.id for row in api.newest_backups(channel(lists), 5)] == [12, 11, 9, 5, 3, 2, 1]


@pytest.mark.parametrize(("newest_first", "asked"), [(True, 1), (False, 2)])
def test_only_the_pages_that_are_needed_are_read(newest_first: bool, asked: int) -> None:
    rows = [{"id": number} for number in sorted(range(1, 101), reverse=newest_first)]
    lists = Lists({"backups": rows}, 10, wrapped=False)
    newest = list(itertools.islice(api.newest_backups(channel(lists), 5), 3))
    assert [row.id for row in newest] == [100, 99, 98]
    assert len(lists.asked) == asked


@given(
    st.sets(st.integers(1, 60), min_size=1, max_size=45),
    st.integers(1, 60),
    st.integers(1, 10),
    st.integers(1, 6),
    st.sampled_from(["newest first", "oldest first", "unsorted"]),
)
def test_a_backup_is_found_wherever_it_is(ids: set[int], wanted: int, per_page: int, page: int, order: str) -> None:
    numbers = sorted(ids, reverse=order == "newest first")
    if order == "unsorted":
        random.Random(wanted).shuffle(numbers)
        # the order is seen from the first page, which looks sorted by chance only if it is short; the service's has ten rows
        per_page = max(per_page, 5)
        first = numbers[:per_page]
        assume(len(first) == len(numbers) or first not in (sorted(first), sorted(first, reverse=True)))
    lists = Lists({"backups": [{"id": number} for number in numbers]}, per_page, wrapped=False)
    # the page may be one where it was once, and even one that there is no more
    found = api.find_backup(channel(lists), 5, wanted, page)
    assert (found and found.backup.id) == (wanted if wanted in ids else None)
    if found is not None:
        lists.asked.clear()
        again = api.find_backup(channel(lists), 5, wanted, found.page)
        assert again == found
        assert found.page == 1 or len(lists.asked) == 1


def test_a_backup_that_is_gone_is_not_looked_for_among_older_ones() -> None:
    lists = Lists({"backups": [{"id": number} for number in range(100, 0, -1) if number != 95]}, 10, wrapped=False)
    assert api.find_backup(channel(lists), 5, 95) is None
    assert len(lists.asked) == 1


# -- names -----------------------------------------------------------------------------------------------------------

APPLICATIONS = [
    {"id": 88, "name": "shop", "primary_domain": "shop.example.com"},
    {"id": 89, "name": "shop.example.net", "primary_domain": "staging.example.com"},
    {"id": 90, "name": "blog", "primary_domain": "shop.example.net"},
    {"id": 91, "name": "Wiki", "primary_domain": None},
    {"id": 92, "name": "twin", "primary_domain": "twin1.example.com"},
    {"id": 93, "name": "twin", "primary_domain": "twin2.example.com"},
    {"id": 94, "name": "blog2", "primary_domain": "wiki"},
]
LISTED = [ApplicationRow.from_json(row) for row in APPLICATIONS]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("shop", 88),
        ("shop.example.com", 88),
        # a name counts before a domain
        ("shop.example.net", 89),
        ("Wiki", 91),
        # exactness counts before case
        ("wiki", 94),
        ("WIKI", 91),
        ("SHOP.example.COM", 88),
    ],
)
def test_names_and_domains(wanted: str, found: int) -> None:
    assert pick(LISTED, wanted, "applications", "name", "primary_domain").id == found


@pytest.mark.parametrize(("wanted", "word"), [("shpo", "shop"), ("zzz", "primary_domain"), ("None", "primary_domain")])
def test_an_unknown_name_is_refused_with_a_hint(wanted: str, word: str) -> None:
    with pytest.raises(SyncError) as caught:
        pick(LISTED, wanted, "applications", "name", "primary_domain")
    assert caught.value.code == "not_found"
    assert wanted in caught.value.message
    assert word in caught.value.hint


def test_a_name_of_several_is_refused() -> None:
    with pytest.raises(SyncError) as caught:
        pick(LISTED, "twin", "applications", "name", "primary_domain")
    assert caught.value.code == "invalid_option"
    assert "92, 93" in caught.value.message


def test_lists_are_asked_for_once_for_all_targets() -> None:
    lists = Lists(
        {
            "organizations": [{"id": 5, "name": "Demo"}],
            "servers": [{"id": 15, "name": "production", "ip": "192.0.2.15", "agent_status": "1"}],
            "applications": APPLICATIONS,
        }
    )
    directory = Directory({"organization": "Demo", "server": "192.0.2.15"})
    found = [directory.application(name, channel(lists)).place.application for name in ("shop", "blog", "Wiki", "shop")]
    assert found == [88, 90, 91, 88]
    assert len(lists.asked) == 3


def test_a_failure_is_not_asked_for_again_either() -> None:
    class Broken:
        asked = 0
        deadline = Deadline(FakeClock(), 900)

        def observe(self, path: str, params: t.Any = None) -> Response:
            self.asked += 1
            raise SyncError("auth_failed", "no", "", 401)

    broken = Broken()
    directory = Directory({"organization": "Demo", "server": "15"})
    for _attempt in range(3):
        with pytest.raises(SyncError, match="no"):
            directory.application("shop", t.cast(Channel, broken))
    assert broken.asked == 1


@pytest.mark.parametrize("option", ["organization", "server"])
def test_blank_names_are_refused(option: str) -> None:
    with pytest.raises(SyncError, match=option):
        Directory({"organization": "5", "server": "15", option: "  "})


@pytest.mark.parametrize("status", ["1", 1, True, None])
def test_a_connected_server(status: t.Any) -> None:
    lists = Lists({"servers": [{"id": 15, "name": "production", "agent_status": status}]})
    assert Directory({"organization": "5", "server": "production"}).server(channel(lists)).connected


@pytest.mark.parametrize("status", ["0", 0, False])
def test_a_disconnected_server(status: t.Any) -> None:
    lists = Lists({"servers": [{"id": 15, "name": "production", "agent_status": status}]})
    assert not Directory({"organization": "5", "server": "production"}).server(channel(lists)).connected
