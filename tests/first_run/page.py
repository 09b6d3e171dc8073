# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page about the walk."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path

from .walk import API, DNS_PORT, Files, Result, Stop

PAGE = Path(__file__).resolve().parents[2] / "docs" / "first-run.md"

#: columns that a line has on the documentation site
WIDTH = 104

HEAD = f"""<!--
Copyright (c) 2026 The lockstep.sync authors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

<!-- Written by python -m tests.first_run --write; tests/module/test_first_run.py holds it against what happens. -->

# First run

What a newcomer sees who follows the README: six typical mistakes, each with the message that says what to do, and then the first
reconciliation. All of it takes less than five minutes.

The commands ran in a fresh home directory and a fresh Python environment, against the emulators of the repository. With your own
VinylDNS, put its address in place of `{API}`, and that of its DNS server in place of `127.0.0.1` and port {DNS_PORT}. Lines
of the output that only name tasks are left out, and long messages are broken into lines.

## What was done before

```console
$ pip install ansible-core requests dnspython
$ ansible-galaxy collection install lockstep.sync
$ export VINYLDNS_API_URL={API}
$ export VINYLDNS_ACCESS_KEY_ID=… VINYLDNS_SECRET_ACCESS_KEY=… TRANSFER_KEY=…
```

```yaml
{Files().text(DNS_PORT)}```

Variables in the environment are in no command line and in no file. `backend` is the DNS server from which VinylDNS transfers the
zone.
"""


def page(walked: Iterable[tuple[Stop, Result]]) -> str:
    """The whole page."""
    return HEAD + "".join(_section(number, stop, result) for number, (stop, result) in enumerate(walked, 1))


def _section(number: int, stop: Stop, result: Result) -> str:
    output = "\n".join(line for long in result.lines for line in _broken(long))
    return f"\n## {number}. {stop.title}\n\n{stop.text}\n\n```console\n$ {stop.command}\n{output}\n```\n"


def _broken(line: str) -> list[str]:
    """Messages in several lines; what else is long is better read in one."""
    if not line.startswith('    "msg"'):
        return [line]
    return textwrap.wrap(line, WIDTH, subsequent_indent=" " * 12, break_long_words=False, break_on_hyphens=False)
