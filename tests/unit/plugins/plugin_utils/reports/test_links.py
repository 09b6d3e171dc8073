# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where reports lead to."""

from __future__ import annotations

import pathlib
import re

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import FAILURE_CODES
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import DESCRIPTORS
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.links import ERRORS, FileLinks, docs_of_code
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_markdown import promotion_markdown
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.promotion_page import promotion_page
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_markdown import reconciliation_markdown
from ansible_collections.lockstep.sync.plugins.plugin_utils._reports.reconciliation_page import reconciliation_page

PATH = "/var/reports/a week: 46 (new).json"
STEM = "./a%20week%3A%2046%20%28new%29"
FAILURE = {"code": "run_failed", "message": "it failed", "hint": "Look.", "http_status": None}
RECONCILIATION = {"verdict": "failed", "zones": [{"zone": "a.", "verdict": "failed", "failure": FAILURE}]}
PROMOTION = {"verdict": "failed", "targets": [{"name": "shop", "verdict": "failed", "failure": FAILURE}]}


def test_each_file_leads_to_the_others() -> None:
    assert FileLinks.of(PATH) == (f"{STEM}.json", f"{STEM}.md", f"{STEM}.html")
    for page in (reconciliation_page(RECONCILIATION, PATH), promotion_page(PROMOTION, PATH)):
        assert f'<a href="{STEM}.json">The JSON report</a>\nhas everything' in page and f'<a href="{STEM}.md">' in page
    for text in (reconciliation_markdown(RECONCILIATION, PATH), promotion_markdown(PROMOTION, PATH)):
        assert text.endswith(f"\n\nThis report as [JSON]({STEM}.json) and as a [page]({STEM}.html).\n")
    # in a mail there are no files next to it
    assert "./" not in reconciliation_page(RECONCILIATION) and "This report as" not in promotion_markdown(PROMOTION)


def test_failure_codes_lead_to_their_documentation() -> None:
    address = f"{ERRORS}#run_failed"
    for page in (reconciliation_page(RECONCILIATION), promotion_page(PROMOTION)):
        assert f'<a href="{address}">run_failed</a>' in page
    for text in (reconciliation_markdown(RECONCILIATION), promotion_markdown(PROMOTION)):
        assert f"**[run_failed]({address})**" in text
    guards = {"code": "guard_refused", "message": "no", "hint": "Look.", "http_status": None}
    refused = {"zone": "a.", "verdict": "refused", "failure": guards, "guards": [{"rule": "max_deletes", "message": "m"}]}
    assert f'<a href="{ERRORS}#guard_refused">guard_refused</a>' in reconciliation_page({"zones": [refused]})


@pytest.mark.parametrize("code", ["", "x y", '"><script>', "A", "javascript:a", "a__b"])
def test_what_is_no_code_leads_nowhere(code: str) -> None:
    assert docs_of_code(code) == ""


def test_the_documentation_has_a_section_for_each_code() -> None:
    root = pathlib.Path(__file__).resolve().parents[5]
    assert ERRORS.endswith("/blob/main/docs/errors.md")
    sections = re.findall(r"^## (\w+)$", (root / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    codes = {code for descriptor in DESCRIPTORS.values() for code in descriptor.failure_codes} | FAILURE_CODES
    assert codes <= set(sections) and all(docs_of_code(code) for code in codes)
