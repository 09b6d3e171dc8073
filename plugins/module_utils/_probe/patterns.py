# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Searching for patterns of users in texts of servers, within a limit of time.

Some patterns, such as ``(a+)+b``, take longer than anyone can wait for some texts. Python has no limit for that, and holds its
global lock meanwhile: no other thread, no deadline and no signal would get through. So such a search has a process of its own.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys

#: Without repetitions and alternatives there is one way only in which a pattern can match at a place.
_WITH_CHOICE = re.compile(r"[*+?{|]")
#: seconds by which the process ends itself later than it would be ended, should nothing be left to end it
_SPARE = 5
_PROGRAM = """
import json, re, signal, sys
pattern, flags, text, seconds = json.load(sys.stdin)
signal.alarm(seconds)
sys.stdout.write(str(re.search(pattern, text, flags) is not None))
"""


class TooSlow(Exception):
    """It is not known whether the pattern matches."""


class LimitedSearch:
    """Whether a pattern matches anywhere in a text.

    :param seconds: for each search.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, pattern: re.Pattern[str], text: str) -> bool:
        """Whether it does.

        :raises TooSlow: it took too long.
        """
        if not _WITH_CHOICE.search(pattern.pattern):
            return pattern.search(text) is not None
        task = json.dumps([pattern.pattern, pattern.flags, text, math.ceil(self._seconds) + _SPARE])
        try:
            # run_command belongs to AnsibleModule, which this code does not use
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                [sys.executable, "-I", "-S", "-c", _PROGRAM],
                input=task.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=self._seconds,
                check=False,
                # what interrupts the task must not decide the search
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise TooSlow(f"no result within {self._seconds:g} s") from None
        except OSError as exc:
            raise TooSlow(f"no process for it: {exc.strerror}") from None
        if done.returncode:
            raise TooSlow(f"its process ended with status {done.returncode}")
        return done.stdout == b"True"


def plain_search(pattern: re.Pattern[str], text: str) -> bool:
    """The same without a limit."""
    return pattern.search(text) is not None
