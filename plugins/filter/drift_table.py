# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_table
short_description: Show drift as a table
version_added: 2.0.0
author:
  - The lockstep.sync authors (@lockstep-ansible)
description:
  - Makes a table for each zone, with the record sets that a sync would create, update and delete, from results of
    M(lockstep.sync.vinyldns_zone_sync) and M(lockstep.sync.vinyldns_zone_info) with O(ignore:backend), and from reports of role
    C(lockstep.sync.dns_reconciliation).
  - Text of zones has no meaning of its own in the table. What would control a terminal is replaced, and what would be markup in
    Markdown is escaped.
  - A bulk result has long lists cut, see RV(lockstep.sync.vinyldns_zone_sync#module:syncs[].detail). The table says how many
    record sets it does not show. The file at O(ignore:report_path) has them all.
positional: format
options:
  _input:
    description:
      - The registered result of such a module, the results of such a task in a loop, a list of results, a report, a record out of
        V(syncs), an entry out of V(zones), or the drift in it.
    type: raw
    required: true
  format:
    description: The form of the table.
    type: str
    choices:
      text: Lines of plain text.
      markdown: A heading and a table for each zone, for example for a merge request or a chat.
    default: text
  limit:
    description: The most record sets to show of one zone.
    type: int
  width:
    description: The most columns of a terminal that a line of text has; 50 at least. Longer texts end with an ellipsis.
    type: int
    default: 80
"""

EXAMPLES = r"""
- name: Look at zones
  lockstep.sync.vinyldns_zone_info:
    zones: [example.com., example.org.]
    backend:
      server: ns1.example.net
  register: seen

- name: Show their drift on the console
  ansible.builtin.debug:
    msg: "{{ (seen | lockstep.sync.drift_table).splitlines() }}"

# example.com.: 1 to create, 1 to update, 0 to delete
# action  name   type  before         after
# create  new    A     -              300 198.51.100.1
# update  host1  A     300 192.0.2.1  60 192.0.2.1
#
# example.org.: in sync

- name: Write it into a file for a merge request
  ansible.builtin.copy:
    dest: drift.md
    content: "{{ seen | lockstep.sync.drift_table('markdown', limit=50) }}"
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The tables, with an empty line between them.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.lockstep.sync.plugins.plugin_utils._results.drift_table import (
    NARROWEST,
    WIDTH,
    drift_markdown,
    drift_text,
)
from ansible_collections.lockstep.sync.plugins.plugin_utils._results.outcomes import NotAResult, outcomes

FORMATS = ("text", "markdown")


def drift_table(
    value: object,
    format: str = "text",  # noqa: A002 (users name it)
    limit: int | None = None,
    width: int = WIDTH,
) -> str:
    if format not in FORMATS:
        raise AnsibleFilterError(f"lockstep.sync.drift_table: format {format!r} is unknown. Use one of {', '.join(FORMATS)}.")
    try:
        targets = outcomes(value)
    except NotAResult as error:
        raise AnsibleFilterError(f"lockstep.sync.drift_table: {error}") from None
    shown = None if limit is None else max(0, int(limit))
    return drift_markdown(targets, shown) if format == "markdown" else drift_text(targets, shown, max(NARROWEST, int(width)))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., str]]:
        return {"drift_table": drift_table}
