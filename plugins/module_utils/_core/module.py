# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""The short way from AnsibleModule to the core and back."""

from __future__ import annotations

import signal
import threading
import typing as t

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from .adaptor import Adaptor, Services
from .batch import Context, Interrupted
from .clock import SystemClock
from .info import Viewer, run_info
from .options import CONNECTION, LOOKING, SYNCING, WAITING, ArgumentSpec, Options
from .sync import run_sync
from .transport import REQUESTS_IMPORT_ERROR
from .wait import Providers, run_wait

Requirements = t.Sequence[tuple[str, t.Optional[str]]]
REQUESTS: Requirements = (("requests", REQUESTS_IMPORT_ERROR),)


def sync_spec(adaptor_class: type[Adaptor]) -> ArgumentSpec:
    """All options of the sync module of a provider."""
    return CONNECTION + adaptor_class.connection_spec + adaptor_class.sync_spec + WAITING + SYNCING


def wait_spec(providers: Providers) -> ArgumentSpec:
    """All options of ``sync_wait``."""
    connections = {name: {"type": "dict", **_as_suboptions(adaptor_class)} for name, adaptor_class in providers.items()}
    own = ArgumentSpec(
        {
            "handles": {"type": "list", "elements": "dict", "required": True},
            "connections": {"type": "dict", "options": connections},
        }
    )
    return own + WAITING


def _as_suboptions(adaptor_class: type[Adaptor]) -> dict[str, t.Any]:
    kwargs = (CONNECTION + adaptor_class.connection_spec + adaptor_class.handle_spec).as_kwargs()
    arguments = kwargs.pop("argument_spec")
    # what is required is checked for the handles at hand, when the environment has had its say
    options = {name: {key: value for key, value in spec.items() if key != "required"} for name, spec in arguments.items()}
    return {"options": options, **kwargs}


def sync_module(adaptor_class: type[Adaptor]) -> None:
    """``main()`` of a sync module."""
    module = new_module(sync_spec(adaptor_class))
    require(module, REQUESTS)
    require(module, adaptor_class.requirements(module.params))
    leave(module, run_sync(adaptor_class, module.params, context_of(module)))


def wait_module(providers: Providers) -> None:
    """``main()`` of ``sync_wait``."""
    module = new_module(wait_spec(providers))
    require(module, REQUESTS)
    leave(module, run_wait(providers, module.params, context_of(module)))


def info_module(
    key: str,
    spec: ArgumentSpec,
    viewer_class: t.Callable[[Options, Services], Viewer],
    requirements: t.Callable[[Options], Requirements] = lambda options: (),
) -> None:
    """``main()`` of an info module.

    :param key: where the result has the list of entries.
    :param spec: the options of the provider; those for connecting are added.
    """
    spec = CONNECTION + spec + LOOKING
    module = new_module(spec)
    require(module, REQUESTS)
    require(module, requirements(module.params))
    leave(module, run_info(key, spec, viewer_class, module.params, context_of(module)))


def new_module(spec: ArgumentSpec) -> AnsibleModule:
    return AnsibleModule(supports_check_mode=True, **spec.as_kwargs())


def require(module: AnsibleModule, requirements: Requirements) -> None:
    """Fail clearly where a Python library is missing."""
    for library, problem in requirements:
        if problem is not None:
            module.fail_json(msg=missing_required_lib(library), exception=problem)


def context_of(module: AnsibleModule) -> Context:
    """The context of a module process, in which SIGTERM ends the waiting and not the reporting."""
    stop = threading.Event()

    def on_signal(number: int, frame: t.Any) -> None:
        # a second one would end the reporting
        if not stop.is_set():
            stop.set()
            raise Interrupted

    signal.signal(signal.SIGTERM, on_signal)
    return Context(check_mode=module.check_mode, diff=module._diff, clock=SystemClock(stop))


def leave(module: AnsibleModule, result: dict[str, t.Any]) -> t.NoReturn:
    """Exit or fail with ``result``."""
    for text in result.pop("warnings"):
        module.warn(text)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
    raise AssertionError("unreachable: exit_json exits")
