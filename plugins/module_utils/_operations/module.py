# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The short way from AnsibleModule to the core and back."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values

from .._core.clock import SystemClock
from .._core.errors import SyncError
from .._core.libraries import missing_library
from .._core.options import explain_missing, secrets_in
from .._core.stop import StopSignal
from .._state import database_address
from .operation import Operation
from .result import MANY, fit_arguments, structural_texts
from .task import Context


class OperationModule(AnsibleModule):  # type: ignore[misc]  # ansible-core ships no types
    """Module whose message about missing options names their environment variables, and that hides what addresses carry."""

    _knows_secrets = False
    _checks_options = True

    def __init__(self, **settings: t.Any) -> None:
        super().__init__(**settings)
        self._checks_options = False

    def learn_secrets(self) -> None:
        """Have AnsibleModule mask what no_log does not find."""
        if self._knows_secrets:
            return
        self._knows_secrets = True
        params = getattr(self, "params", None) or {}
        self.no_log_values.update(secrets_in(params, self.argument_spec))
        # a password should not be there, and is refused, but not shown with the other arguments
        ledger = params.get("ledger")
        self.no_log_values.update(database_address.secrets_in(ledger if isinstance(ledger, str) else None))

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        # the constructor calls this, too, and options that are wrong are shown with the others
        self.learn_secrets()
        message = explain_missing(msg, self.argument_spec)
        if self._checks_options:
            kwargs["failure"] = SyncError("invalid_option", message).as_failure()
        super().fail_json(message, **kwargs)
        raise AssertionError("unreachable: fail_json exits")


def run_as_module(operation: Operation, module_class: type[OperationModule] = OperationModule, **settings: t.Any) -> None:
    """``main()`` of a module.

    :param settings: further arguments of ``module_class``.
    """
    module = module_class(supports_check_mode=True, **operation.spec.as_kwargs(), **settings)
    module.learn_secrets()
    fail_on_missing_libraries(module, operation, module.params)
    with interruptible_clock(signal.SIGTERM, signal.SIGINT) as clock:
        context = Context(module.check_mode, module._diff, clock, given=given_arguments())
        exit_module(module, operation.execute(module.params, context))


def given_arguments() -> t.Mapping[str, t.Any]:
    """The arguments of this module as the controller sent them, before AnsibleModule converted them."""
    arguments: t.Mapping[str, t.Any] = basic._load_params()
    return arguments


def fail_on_missing_libraries(module: AnsibleModule, operation: Operation, options: t.Mapping[str, t.Any]) -> None:
    """Fail clearly where a Python library is missing."""
    for library, problem in operation.requirements(options):
        if problem is not None:
            message = missing_library(library)
            module.fail_json(msg=message, exception=problem, failure=SyncError("library_missing", message).as_failure())


@contextlib.contextmanager
def interruptible_clock(*signals: signal.Signals, pass_on: bool = False) -> t.Iterator[SystemClock]:
    """A clock whose pauses end for good when this process gets a signal to stop, which ends the waiting and not the reporting.

    The handler only notes the signal: nothing is raised in the middle of what the main thread does. Its next pause raises
    :class:`Stopped`, and :func:`fan_out`, in which it waits for the work on targets, raises :class:`Interrupted`.

    :param signals: those that stop it.
    :param pass_on: at the end of the ``with`` statement, have such a signal do what it would have done before.
    """
    stop = StopSignal()
    received: list[int] = []

    def on_signal(number: int, frame: t.Any) -> None:
        received.append(number)
        stop.request()

    # wakes the main thread also if the signal arrives just before it begins to wait, or in another thread
    previous = signal.set_wakeup_fd(stop.open(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield SystemClock(stop)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(previous)
        # for threads that nothing waits for any more
        stop.set()
        if pass_on and received:
            os.kill(os.getpid(), received[0])


def exit_module(module: AnsibleModule, result: dict[str, t.Any]) -> t.NoReturn:
    """Exit or fail with ``result``."""
    for text in result.pop("warnings"):
        module.warn(text)
    _spare_structure(module, result)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
    raise AssertionError("unreachable: exit_json exits")


def _spare_structure(module: AnsibleModule, result: dict[str, t.Any]) -> None:
    """Keep AnsibleModule from masking parts of handles and of words of our own, from which secrets have been removed already.

    And from adding all names of many targets: ``syncs`` has them.
    """
    texts = structural_texts(result)
    spared = {secret for secret in module.no_log_values if any(secret in text for text in texts)} if texts else set()
    many = len(result.get("syncs", ())) >= MANY
    if spared or many:
        arguments = remove_values(module.params, module.no_log_values)
        result["invocation"] = {"module_args": fit_arguments(arguments) if many else arguments}
    if spared:
        module.no_log_values = module.no_log_values - spared
