# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of single zones, by whichever spelling of their name; and mappings as people write them in a survey."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import read
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.state import canonical
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.zone_pass import zone_groups

SERVER = {"server": "ns1.example.net"}


@pytest.mark.parametrize(
    "given", ["münchen.example.", "München.Example", " xn--mnchen-3ya.example.", "XN--MNCHEN-3YA.EXAMPLE.", "münchen。example"]
)
def test_a_name_has_one_form(given: str) -> None:
    assert canonical(given) == "xn--mnchen-3ya.example."


@pytest.mark.parametrize("zone", ["münchen.example.", "xn--mnchen-3ya.example."])
@pytest.mark.parametrize("named", ["münchen.example.", "xn--mnchen-3ya.example"])
def test_a_zone_that_was_listed_by_its_a_label_has_its_own_server_and_digest(zone: str, named: str) -> None:
    """A filter and an admin group list zones as the server names them."""
    settings = read({"backends": {named: SERVER}, "approve": {named: "8875298edb71"}, "zone_filter": "*"})
    (group,) = zone_groups(settings, [zone])
    assert group.backend is not None and group.backend["server"] == "ns1.example.net"
    assert (group.digests, group.reviewed) == (("8875298edb71",), True)


@pytest.mark.parametrize(
    "text",
    [
        "a.example.: 000000000012\nb.example.: 8875298edb71\n",
        "a.example. = 000000000012\r\nb.example.=8875298edb71\r\n",
        "{a.example.: 000000000012, b.example.: 8875298edb71}",
        " a.example.=000000000012 , b.example.: 8875298edb71 ",
        '{"a.example.": "000000000012", "b.example.": "8875298edb71"}',
        "{'a.example.': '000000000012', 'b.example.': '8875298edb71'}",
    ],
)
def test_digests_may_be_written_as_the_table_and_the_documentation_show_them(text: str) -> None:
    assert read({"approve": text}).approve == {"a.example.": "000000000012", "b.example.": "8875298edb71"}


def test_other_mappings_may_be_written_so_too() -> None:
    settings = read({"backend": "server: ns1.example.net\nport: 5353", "guard": "max_deletes: 5"})
    assert settings.backend is not None and (settings.backend["server"], settings.backend["port"]) == ("ns1.example.net", 5353)
    assert settings.guard is not None and settings.guard["max_deletes"] == 5


@pytest.mark.parametrize("text", ["a.example.", "a.example.:", '{"a.example.": ', "a.example.: [1]", "= 8875298edb71", ": x"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(SyncError) as caught:
        read({"approve": text})
    assert caught.value.code == "invalid_option" and "dns_reconciliation_approve" in caught.value.message
