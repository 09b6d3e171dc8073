# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The short way from AnsibleModule to the core and back."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .._core.clock import SystemClock
from .operation import Operation
from .task import Context, Interrupted


def run_as_module(operation: Operation, module_class: type[AnsibleModule] = AnsibleModule, **settings: t.Any) -> None:
    """``main()`` of a module.

    :param settings: further arguments of ``module_class``.
    """
    module = module_class(supports_check_mode=True, **operation.spec.as_kwargs(), **settings)
    fail_on_missing_libraries(module, operation, module.params)
    with interruptible_clock(signal.SIGTERM) as clock:
        context = Context(module.check_mode, module._diff, clock, given=given_arguments())
        exit_module(module, operation.run(module.params, context))


def given_arguments() -> t.Mapping[str, t.Any]:
    """The arguments of this module as the controller sent them, before AnsibleModule converted them."""
    arguments: t.Mapping[str, t.Any] = basic._load_params()
    return arguments


def fail_on_missing_libraries(module: AnsibleModule, operation: Operation, options: t.Mapping[str, t.Any]) -> None:
    """Fail clearly where a Python library is missing."""
    for library, problem in operation.requirements(options):
        if problem is not None:
            module.fail_json(msg=missing_required_lib(library), exception=problem)


@contextlib.contextmanager
def interruptible_clock(*signals: signal.Signals, pass_on: bool = False) -> t.Iterator[SystemClock]:
    """A clock whose pauses end for good when this process is told to stop, which ends the waiting and not the reporting.

    :param signals: that tell it.
    :param pass_on: at the end of the ``with`` statement, have such a signal do what it would have done before.
    """
    stop = threading.Event()
    told: list[int] = []

    def on_signal(number: int, frame: t.Any) -> None:
        told.append(number)
        # a second one would end the reporting
        if not stop.is_set():
            stop.set()
            raise Interrupted

    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield SystemClock(stop)
    finally:
        # for threads that nobody waits for any more
        stop.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        if pass_on and told:
            os.kill(os.getpid(), told[0])


def exit_module(module: AnsibleModule, result: dict[str, t.Any]) -> t.NoReturn:
    """Exit or fail with ``result``."""
    for text in result.pop("warnings"):
        module.warn(text)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
    raise AssertionError("unreachable: exit_json exits")
