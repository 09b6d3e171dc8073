# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to wait and report."""

    DOCUMENTATION = r"""
requirements:
  - psycopg >= 3.1 (if O(ledger) is a PostgreSQL database)
options:
  wait_timeout:
    description:
      - Seconds within which a target must be finished. One deadline covers finding it, triggering, retries, pauses that the
        server asks for, waiting and verifying, however slowly the server sends. Each target has its own, which begins when the
        module starts looking for the target, not while it waits for its turn. A last request at the deadline may take one
        second.
      - A timeout is neither a success nor a failure of the run, which goes on at the server, see O(on_timeout).
    type: float
    default: 900.0
  poll_min_interval:
    description:
      - Minimum of seconds between two readings of a run. The interval is a fifth of the time elapsed, between this and
        O(poll_max_interval), so that the end of short runs is noticed quickly and long ones cost few requests.
    type: float
    default: 0.5
  poll_max_interval:
    description:
      - Maximum of seconds between two readings of a run.
    type: float
    default: 5.0
  outage_grace:
    description:
      - Seconds for which a run may be impossible to observe while the module waits for it. Connection errors, the statuses 429,
        500 and 502 to 504, and responses that cannot be understood are tolerated for so long without a good reading. So is a
        server that answers and cannot show any run, such as a Media Manager whose local database is down, and so are 404 and 409
        for a run that is known to exist.
      - After that the target fails with the code of the last trouble. The run itself is not taken for failed; its handle finds it
        again.
    type: float
    default: 60.0
    version_added: 2.0.0
  on_timeout:
    description:
      - What happens if a target is not finished within O(wait_timeout).
    type: str
    choices:
      fail: The task fails.
      warn: The task continues with a warning.
    default: fail
  settle_grace:
    description:
      - Seconds for which the module searches for a run that should exist and is not visible, for example after the response
        to a trigger was lost.
    type: float
    default: 30.0
  report_path:
    description:
      - File to write the full result to, as JSON with mode 0600. It is written on every exit, failures and check mode included.
      - Outside check mode it is also written before anything is triggered, and at most once a second while the task is at work.
        C(unfinished) in it is true until the task has ended, and C(progress) of each entry in C(syncs) says how far the target
        is, V(waiting), V(planning), V(intended), V(sending), V(running) or V(done). So a task that is killed leaves a report.
    type: path
  max_parallel:
    description:
      - How many targets to work on at once, and maximum of requests at work. Targets that wait, for their runs or for a pause
        that the server asks for, do not count.
      - It is a ceiling. When the server refuses requests for now (429, 503), their number is halved; after each round of good
        answers one more is allowed.
    type: int
    default: 8
  rate_limit:
    description:
      - Maximum of HTTP requests a second that are sent to a server, all targets together. They are spread evenly. Without it,
        there is no limit other than O(max_parallel).
      - What cannot be asked before the deadline of a target because of it counts as not answered in time.
    type: float
    version_added: 2.0.0
  ledger:
    description:
      - Where it is remembered what was triggered, so that a run that was interrupted is found again and a release is not synced
        twice. It contains no secrets.
      - It is either the path of an SQLite file, for the controllers on one host, containers included, or the address of a
        PostgreSQL database, for controllers on any number of hosts, such as
        C(postgresql://user@host:port/database?sslmode=verify-full). The parameters of the address are those of libpq. A database
        takes the Python library psycopg 3, C(pip install 'psycopg[binary]'). Its tables are made on first use.
      - Of several controllers with one ledger, a single one triggers a target at a time. The others wait within
        O(wait_timeout), and join its run.
      - An address with a password is refused, since options are shown. The password is that of E(LOCKSTEP_LEDGER_PASSWORD), or
        what libpq finds by itself (E(PGPASSWORD), E(PGPASSFILE), E(PGSERVICEFILE)). The address in E(LOCKSTEP_LEDGER) may have
        one, which is never shown.
      - If the ledger cannot be used, the task fails before anything is triggered.
      - The default is C(lockstep/ledger.sqlite3) below E(XDG_STATE_HOME), usually C(~/.local/state). A user without a home
        directory, as in some containers, has to name a file.
      - If the value is not specified in the task, the value of environment variable E(LOCKSTEP_LEDGER) will be used instead.
    type: str
    aliases:
      - ledger_path
"""
