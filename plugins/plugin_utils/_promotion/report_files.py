# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The files of a report, written at once or not at all."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._core.redact import Redactor
from .._reports import files as _report_files
from .._reports.promotion_markdown import promotion_markdown
from .._reports.promotion_page import promotion_page
from .report import build_report, interrupted
from .state import RunState


def clean_report(state: RunState, finished_at: str, elapsed: float, redactor: Redactor) -> dict[str, t.Any]:
    """The report without anything secret."""
    report: dict[str, t.Any] = redactor.scrub(build_report(state, finished_at, elapsed))
    return report


def write_report(state: RunState, finished_at: str, elapsed: float, redactor: Redactor, interim: bool) -> str | None:
    """Write JSON, Markdown and page, if the report has a path.

    :param interim: the run goes on, and this is what is left of it should it be killed.
    :returns: why it could not be written. What happened has to be reported all the same.
    """
    if not state.path:
        return None
    report = clean_report(interrupted(state) if interim else state, finished_at, elapsed, redactor)
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    texts = (text, promotion_markdown(report, state.path), promotion_page(report, state.path))
    try:
        _report_files.replace(zip(_report_files.sibling_paths(state.path), texts))
    except OSError as error:
        return f"the report could not be written to {state.path}: {error.strerror or error}"
    return None
