# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What applications are called as hosts: a sync module finds each of them by that, and no other one."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import list_of_names
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar import api
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.common import Directory
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.inventory import ApplicationLister
from ansible_collections.lockstep.sync.plugins.module_utils._providers.serveravatar.rows import ApplicationRow, Server
from tests.unit.plugins.support.clocks import FakeClock

from .service import OPTIONS, services

CHANNEL: t.Any = types.SimpleNamespace(deadline=Deadline(FakeClock(), 900))


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[ApplicationRow]:
    rows = [
        ApplicationRow(5, "7", "five.example.com"),
        ApplicationRow(7, "shop", "seven.example.com"),
        ApplicationRow(8, "Shop", "eight.example.com"),
        ApplicationRow(9, " blog", "nine.example.com"),
        ApplicationRow(10, "blog", "ten.example.com"),
        ApplicationRow(11, None, None),
        ApplicationRow(12, "wiki", "wiki.example.com"),
    ]
    monkeypatch.setattr(api, "list_applications", lambda channel, organization, server: rows)
    monkeypatch.setattr(api, "get_server", lambda channel, organization, server: Server(server, "production", None, True))
    return rows


def test_each_application_is_a_host_by_which_it_is_found(listed: list[ApplicationRow]) -> None:
    lister = ApplicationLister({**OPTIONS, "name_filter": None, "details": False}, services())
    names = lister.names(CHANNEL)
    shown = [lister.inspect(name, CHANNEL) for name in names]
    assert {str(each["application"]): each["id"] for each in shown} == {
        "5": 5,
        "7": 7,
        "8": 8,
        "9": 9,
        "blog": 10,
        "11": 11,
        "wiki": 12,
    }
    directory = Directory(OPTIONS)
    directory.applications(CHANNEL)
    for entry in shown:
        (wanted,) = list_of_names({"applications": [entry["application"]]}, "applications")
        assert directory.application(wanted, CHANNEL).place.application == entry["id"]
