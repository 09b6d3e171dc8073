# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/errors.md from failures.yml: ``python -m scripts.docs.errors --write``.

Without ``--write`` it says whether the page is up to date.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import typing as t

import yaml

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import FAILURE_CODES
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "errors.md"

HEAD = """<!--
Copyright (c) 2026 The lockstep.sync authors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
-->

<!-- Written by python -m scripts.docs.errors --write. Change scripts/docs/failures.yml. -->

# Troubleshooting by failure code

Every failure has a `code`, a `message` that names the object, and a `hint`. They are in `failure` of each record in `syncs`, or
of the result where the task failed as a whole, and in the reports of the roles. The message of a task that syncs, and of the last
task of a role, names the first target that failed and the code: `example.com.: auth_failed: …`; the last task of a role also
shows, as `see`, the address of the section about each code. The code says what kind of failure it is, so that a playbook can
decide by it:

```yaml
- name: Sync a zone, and go on if it takes long
  block:
    - name: Sync
      lockstep.sync.vinyldns_zone_sync:
        zones: [example.com.]
        wait_timeout: 60
      register: result
  rescue:
    - name: Fail, unless the only failures are time-outs
      ansible.builtin.fail:
        msg: "{{ result.msg }}"
      when: codes != ['timed_out']
      vars:
        codes: "{{ result.syncs | default([]) | map(attribute='failure') | select | map(attribute='code') | unique | list }}"
```

A target that fails does not keep the others of the task from being synced. Each code has its own section on this page, and its
anchor is the code.

"""


class Cause(t.TypedDict):
    """One way to get a failure, and what the operator does about it."""

    cause: str
    remedy: str


class Failure(t.TypedDict):
    """What is said of a code; see the head of failures.yml."""

    meaning: str
    effect: str
    causes: list[Cause]


FAILURES: dict[str, Failure] = yaml.safe_load(pathlib.Path(__file__).with_name("failures.yml").read_text(encoding="utf-8"))


def page() -> str:
    """The whole page."""
    owners = {code: [name for name in DESCRIPTORS if code in DESCRIPTORS[name].failure_codes] for code in FAILURES}
    rows = [f"| [`{code}`](#{code}) | {failure['meaning']} |\n" for code, failure in sorted(FAILURES.items())]
    table = ["| Code | Meaning |\n|---|---|\n", *rows]
    return HEAD + "".join(table) + "".join(section(code, failure, owners[code]) for code, failure in sorted(FAILURES.items()))


def section(code: str, failure: Failure, providers: list[str]) -> str:
    """One code.

    :param providers: those that alone use it; none if all do.
    """
    only = f" Only with: {', '.join(f'`{provider}`' for provider in providers)}." if providers else ""
    rows = "".join(f"| {cause['cause']} | {cause['remedy']} |\n" for cause in failure["causes"])
    return (
        f"\n## {code}\n\n{failure['meaning']}{only}\n\nEffect: {failure['effect']}\n\n| Cause | What to do |\n|---|---|\n{rows}"
    )


def unexplained() -> frozenset[str]:
    """Codes that results may have and the table has not, and the other way round."""
    known = FAILURE_CODES.union(*(descriptor.failure_codes for descriptor in DESCRIPTORS.values()))
    return known ^ set(FAILURES)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.docs.errors", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page")
    if parser.parse_args().write:
        PAGE.write_text(page(), encoding="utf-8")
    current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
    if not current:
        print(f"{PAGE.name} is not up to date")
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main())
