# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which texts of servers are marked, so that ansible-core 2.18 takes none of them for a template."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._inventory import hosts

#: with such a first line, ansible-core 2.18 evaluates a text without any brace
OTHER_DELIMITERS = "#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% lookup('pipe', 'id') %]"


@pytest.mark.parametrize("text", ["{{ 7 * 6 }}", "{% if x %}", "{# x #}", OTHER_DELIMITERS])
def test_what_could_be_a_template_is_marked(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    marked: list[str] = []

    def mark(value: str) -> str:
        marked.append(value)
        return value

    monkeypatch.setattr(hosts, "wrap_var", mark)
    target = {"application": text, "status": {"text": [text], text: None}}
    assert hosts.host_name(target, "application") == text
    assert hosts.host_variables(target, "p") == {"p_application": text, "p_status": {"text": [text], text: None}}
    assert marked == [text] * 4
    # other texts stay as they are, so that ansible-inventory shows them as such
    assert hosts.harmless_variable("# jinja2: [%") == "# jinja2: [%" and len(marked) == 4
