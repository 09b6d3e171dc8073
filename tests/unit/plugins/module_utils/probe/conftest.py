# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the probes share."""

from __future__ import annotations

import pytest

from tests.unit.plugins.support.certificates import new_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Valid for ten days and a bit."""
    return new_certificate(tmp_path_factory.mktemp("tls"), 10.5)
