# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process has provably ended, and which may be at work."""

from __future__ import annotations

import builtins
import dataclasses
import os
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._state import process as module
from ansible_collections.lockstep.sync.plugins.module_utils._state.process import ProcessIdentity
from tests.unit.plugins.support.namespaces import in_new_pid_namespace
from tests.unit.plugins.support.processes import UNUSED_PID


@pytest.fixture
def me() -> ProcessIdentity:
    return ProcessIdentity.current()


@pytest.fixture
def dead() -> ProcessIdentity:
    return ProcessIdentity.of(UNUSED_PID)


def test_this_process_is_alive(me: ProcessIdentity) -> None:
    assert me.pid == os.getpid()
    assert all((me.boot, me.space, me.started, me.host))
    assert not me.is_gone()


def test_the_process_may_be_another_one() -> None:
    parent = ProcessIdentity.of(os.getppid())
    assert parent.pid == os.getppid()
    assert parent.started
    assert not parent.is_gone()


def test_a_process_that_ended_is_gone(dead: ProcessIdentity) -> None:
    assert dead.is_gone()


def test_it_is_written_down_and_read_again(me: ProcessIdentity) -> None:
    assert ProcessIdentity.from_json(me.to_json()) == me
    assert ProcessIdentity.from_json("{}") == ProcessIdentity("", "", 0, "", "")


def test_a_process_that_was_killed_is_gone_before_its_parent_collects_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    identity = ProcessIdentity.of(child.pid)
    assert not identity.is_gone()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert os.kill(child.pid, 0) is None
    assert identity.is_gone()
    child.wait()


def test_a_later_process_of_the_same_id_is_another_one(me: ProcessIdentity) -> None:
    assert dataclasses.replace(me, started="1").is_gone()
    assert not dataclasses.replace(me, started="").is_gone()


@pytest.mark.parametrize("field", ["boot", "space"])
@pytest.mark.parametrize("value", ["another", ""])
def test_of_another_kernel_or_namespace_nothing_is_known(dead: ProcessIdentity, field: str, value: str) -> None:
    assert not dataclasses.replace(dead, **{field: value}).is_gone()


def test_the_name_of_the_host_proves_nothing(dead: ProcessIdentity, me: ProcessIdentity) -> None:
    assert dataclasses.replace(dead, host="elsewhere").is_gone()
    assert not dataclasses.replace(me, host="elsewhere").is_gone()


@pytest.mark.parametrize("pid", [0, -1])
def test_what_is_no_process_id_is_never_signalled(me: ProcessIdentity, pid: int) -> None:
    assert not dataclasses.replace(me, pid=pid).is_gone()


def test_a_process_that_may_not_be_signalled_is_not_gone(me: ProcessIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    assert not me.is_gone()


def test_the_name_of_a_process_may_contain_anything(me: ProcessIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "a) Z (b"
    with open("/proc/self/comm", "r+", encoding="utf-8") as file:
        before = file.read()
        file.seek(0)
        file.write(name)
    try:
        assert ProcessIdentity.current() == me
        assert not me.is_gone()
    finally:
        with open("/proc/self/comm", "w", encoding="utf-8") as file:
            file.write(before)


def test_a_system_without_proc_proves_nothing(dead: ProcessIdentity, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: t.Any, **settings: t.Any) -> t.Any:
        raise FileNotFoundError

    monkeypatch.setattr(builtins, "open", missing)
    monkeypatch.setattr(os, "readlink", missing)
    here = ProcessIdentity.current()
    assert (here.boot, here.space, here.started) == ("", "", "")
    assert not here.is_gone()
    assert not dead.is_gone()


# -- in PID namespaces of their own -----------------------------------------------------------------------------------


def identify(mounts_proc: bool) -> ProcessIdentity:
    """The first process of a new PID namespace, which has ended by now."""
    program = f"from {module.__name__} import ProcessIdentity; print(ProcessIdentity.current().to_json())"
    return ProcessIdentity.from_json(in_new_pid_namespace("-c", program, mounts_proc=mounts_proc))


def test_processes_of_two_namespaces_differ_where_ids_and_hosts_do_not() -> None:
    one, other = identify(True), identify(True)
    assert (one.pid, one.host, one.boot) == (other.pid, other.host, other.boot) == (1, one.host, module._boot())
    assert one.space != module._space()
    assert one.started
    # ids of namespaces are used again, but not as long as anything in them lives
    assert one != other


def test_of_a_namespace_that_is_gone_nothing_can_be_proven_from_outside() -> None:
    assert not identify(True).is_gone()


def test_a_proc_of_another_namespace_is_not_believed() -> None:
    """There, ``/proc/1`` is another process than the one with the id 1."""
    identity = identify(False)
    assert (identity.pid, identity.started) == (1, "")


def test_within_a_namespace_its_processes_are_known() -> None:
    program = (
        f"from {module.__name__} import ProcessIdentity; import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '60']); identity = ProcessIdentity.of(child.pid)\n"
        "before = identity.is_gone(); child.kill(); child.wait(); print(before, identity.is_gone())"
    )
    for mounts_proc in (True, False):
        assert in_new_pid_namespace("-c", program, mounts_proc=mounts_proc) == "False True"
