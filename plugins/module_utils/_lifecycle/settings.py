# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The options that drive the lifecycle, in one place for it and for waiting."""

from __future__ import annotations

import dataclasses

from .plan import Policy
from .poll import PollPolicy


@dataclasses.dataclass(frozen=True)
class LifecycleSettings:
    """The options that drive the lifecycle."""

    policy: Policy
    poll: PollPolicy
    wait: bool = True
    wait_timeout: float = 900.0
    settle_grace: float = 30.0
    check_mode: bool = False
