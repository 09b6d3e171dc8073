# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process to which the permissions of files apply, also where the tests run as root."""

from __future__ import annotations

import ctypes

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError, sentences
from ansible_collections.lockstep.sync.plugins.module_utils._state.run_ledger import Key, RunLedger
from tests.unit.plugins.support.processes import Process, say

# <linux/capability.h>
LINUX_CAPABILITY_VERSION_3, CAP_DAC_OVERRIDE = 0x20080522, 1


def use_ledger(location: str, read_only: bool) -> None:
    """Say why a ledger cannot be used, or that it can."""
    key = Key("fifth", "http://127.0.0.1:1", "7")
    try:
        ledger = RunLedger(location, SystemClock(), read_only)
        if read_only:
            ledger.open_entry(key)
        else:
            ledger.retract(ledger.intend(key, None, {}))
    except SyncError as error:
        say(f"{error.code}: {sentences(error.message, error.hint)}")
    else:
        say("usable")


def as_limited_user(location: str, read_only: bool) -> str:
    """What :func:`use_ledger` says where root has no more rights than others."""
    process = Process(use_ledger, location, read_only, enter=obey_permissions)
    said = process.line()
    assert process.end() == 0
    return said


class _Header(ctypes.Structure):
    """Of which process, and in which form; <linux/capability.h>."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    """32 of them; <linux/capability.h>."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def obey_permissions() -> None:
    """Give up the capability to write and read any file, as setpriv(1) does."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(LINUX_CAPABILITY_VERSION_3, 0), (_Capabilities * 2)()
    assert libc.capget(ctypes.byref(header), sets) == 0
    for name, _kind in _Capabilities._fields_:
        setattr(sets[0], name, getattr(sets[0], name) & ~(1 << CAP_DAC_OVERRIDE))
    assert libc.capset(ctypes.byref(header), sets) == 0
