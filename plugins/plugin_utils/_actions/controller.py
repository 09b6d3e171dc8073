# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Modules without a process of their own, where they would run on the controller anyway."""

from __future__ import annotations

import collections.abc
import contextlib
import datetime as dt
import json
import os
import signal
import sys
import typing as t
import warnings

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ...module_utils._core.options import has_dated_identity
from ...module_utils._core.vocabulary import Json
from ...module_utils._operations.module import interruptible_clock
from ...module_utils._operations.operation import Operation
from ...module_utils._operations.progress import Show
from ...module_utils._operations.task import Context


class ControllerAction(ActionBase):  # type: ignore[misc]  # ansible-core ships no types
    """Does what a module does in the process of the task, so that there is no start-up, and progress can be seen.

    It does so only where that makes no difference else. For anything out of the ordinary, from another user to options that are
    wrong, the module itself is run.
    """

    #: what the module of the same name does
    operation: t.ClassVar[Operation]

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        with task_environment(self):
            given = plain(self._task.args, dates=True)
            # such a date is refused here, since a module process is given it as text
            here = self._can_run_in_process(variables) or has_dated_identity(self.operation.spec, given)
            options = self._options(plain(given)) if here else None
            if options is not None:
                return {**result, **self._run_in_process(options, given, self._show(variables))}
        return {**result, **self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)}

    def _can_run_in_process(self, variables: Json) -> bool:
        """Whether the module would run with this Python, by this user, on this machine, and be waited for."""
        if self._connection.transport != "local" or self._connection.become or self._task.async_val:
            return False
        if sys.platform == "darwin":
            # looking for its proxies after a fork is something that macOS kills a process for
            return False
        host = variables.get("ansible_delegated_vars", {}).get(self._task.delegate_to) or variables
        wanted = str(self._templar.template(host.get("ansible_python_interpreter") or "auto"))
        return wanted.startswith("auto") or wanted == sys.executable

    def _options(self, given: Json) -> Json | None:
        """The options as the module would see them, unless it would have something to say about them."""
        outcome = ArgumentSpecValidator(**self.operation.spec.as_kwargs()).validate(given)
        if outcome.error_messages or outcome._warnings or outcome._deprecations:  # those two have no public names
            return None
        options: Json = outcome.validated_parameters
        return None if any(problem for dummy, problem in self.operation.requirements(options)) else options

    def _run_in_process(self, options: Json, given: Json, show: Show | None) -> Json:
        # once the report is written, Ansible does about a signal what it does
        with interruptible_clock(signal.SIGTERM, signal.SIGINT, pass_on=True) as clock, warnings.catch_warnings():
            # those of Python and of libraries, which a module process does not show either
            warnings.simplefilter("ignore")
            context = Context(bool(self._task.check_mode), bool(self._task.diff), clock, show=show, given=given)
            result = self.operation.execute(options, context)
        # what a module returns has gone through JSON, too
        answer: Json = json.loads(json.dumps(result, allow_nan=False))
        if not answer["warnings"]:
            del answer["warnings"]
        return answer

    def _show(self, variables: Json) -> Show | None:
        if self._task.no_log:
            return None
        display, host = Display(), variables.get("inventory_hostname", "localhost")
        # not between the lines of those who read standard output by machine
        return lambda line: display.display(f"... [{host}] {line}", stderr=True)


@contextlib.contextmanager
def task_environment(action: t.Any) -> t.Iterator[None]:
    """The variables of the task's ``environment``, which a module process would have.

    :param action: the action plugin; ansible-core ships no types.
    """
    wanted: dict[str, t.Any] = {}
    action._compute_environment_string(wanted)
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in wanted.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def plain(value: t.Any, dates: bool = False) -> t.Any:
    """A value as JSON would bring it to a module: without tags, vaults and other wrappings of Ansible.

    :param dates: leave the dates of YAML what they are. JSON has their text.
    """
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, collections.abc.Mapping):
        return {_text(key): plain(item, dates) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item, dates) for item in value]
    if dates and isinstance(value, dt.date):
        return value
    return _text(value)


def _text(value: t.Any) -> str:
    # the text of Ansible's own kinds of text is of that kind again
    return str.__str__(str(value))
