# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation site, built and looked at in a browser."""

from __future__ import annotations

from scripts.docs.site import build

from . import pytests


def docs() -> None:
    page = build()
    print(f"the site is {page.as_uri()}", flush=True)
    # One worker: the tests share one browser.
    pytests.run_tests("docs", "tests/docs", workers=1)
