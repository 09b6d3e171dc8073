# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What role dns_reconciliation is asked to do: its variables, checked and of their types."""

from __future__ import annotations

import dataclasses
import typing as t

from ...module_utils._core.errors import SyncError, invalid_option
from ...module_utils._core.options import MISSING
from ...module_utils._providers.vinyldns.evidence import BACKEND_OPTIONS, GUARD_SPEC
from ...module_utils._state.location import named_location
from .._actions.arguments import ArgumentType, ArgumentTypes, RoleArguments, read_arguments
from .._notifications.notify import check
from .._notifications.topic import RECONCILIATION
from .state import canonical

PREFIX = "dns_reconciliation_"

Options = t.Mapping[str, object]

#: options of both modules: how to connect, and how many zones at once
_CONNECTION: ArgumentTypes = {
    "api_url": {"type": "str"},
    "allow_http": {"type": "bool"},
    "access_key": {"type": "str"},
    "secret_key": {"type": "str"},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "str"},
    "client_cert": {"type": "str"},
    "client_key": {"type": "str"},
    "request_timeout": {"type": "float"},
    "max_parallel": {"type": "int"},
}

#: options of the sync module. Those of both groups have no default here, so that module_defaults count
_SYNCING: ArgumentTypes = {
    "wait_timeout": {"type": "float"},
    "poll_min_interval": {"type": "float"},
    "poll_max_interval": {"type": "float"},
    "settle_grace": {"type": "float"},
    "outage_grace": {"type": "float"},
    "rate_limit": {"type": "float"},
    "max_running": {"type": "int"},
    "fail_fast": {"type": "bool"},
    "max_failures": {"type": "int"},
    "sync_delay": {"type": "float"},
    "if_recently_synced": {"type": "str", "choices": ["auto", "ok", "wait", "fail"]},
    "ledger": {"type": "str"},
}

#: the variables of the role without their prefix. Paths are for the host that the role runs on, so they are not expanded here
VARIABLES: ArgumentTypes = {
    **_CONNECTION,
    **_SYNCING,
    "zones": {"type": "list", "elements": "str", "identity": True},
    "zone_filter": {"type": "str", "default": "", "identity": True},
    "admin_group": {"type": "str", "default": "", "identity": True},
    "inventory_group": {"type": "str", "default": "", "identity": True},
    "backend": {"type": "dict"},
    "backends": {"type": "dict", "default": {}},
    "guard": {"type": "dict"},
    "batch_max_delete_percent": {"type": "float", "default": 30.0},
    "approve": {"type": "dict", "default": {}},
    "only_approved": {"type": "bool", "default": False},
    "fail_on_drift": {"type": "bool", "default": False},
    "notify": {"type": "dict", "default": {}},
    "report_path": {"type": "str", "default": ""},
}

#: variables that the role and its playbook set themselves
INTERNAL = frozenset(PREFIX + name for name in ("host", "step", "report"))

_BACKEND = t.cast("ArgumentTypes", BACKEND_OPTIONS)
_GUARD = t.cast("ArgumentTypes", GUARD_SPEC["options"])


@dataclasses.dataclass(frozen=True)
class ReconciliationSettings:
    """The variables of the role. They may hold secrets.

    :param connection: options of both modules; only those that were given.
    :param syncing: options of the sync module; only those that were given.
    :param backend: the DNS server of all zones without one of their own.
    :param backends: DNS servers by the canonical name of the zone, or by its id.
    :param guard: limits for each zone.
    :param approve: digests of reviewed plans, likewise.
    :param only_approved: whether a zone without one is refused if it has drift.
    """

    connection: Options
    syncing: Options
    zones: tuple[str, ...]
    zone_filter: str
    admin_group: str
    inventory_group: str
    backend: Options | None
    backends: t.Mapping[str, Options]
    guard: Options | None
    batch_max_delete_percent: float
    approve: t.Mapping[str, str]
    only_approved: bool
    fail_on_drift: bool
    report_path: str


def read(variables: Options) -> ReconciliationSettings:
    """The settings in the variables of the role.

    :param variables: by name without prefix.
    :raises SyncError: ``invalid_option``, naming the variable.
    """
    arguments = read_arguments(variables, VARIABLES, PREFIX)
    percent = arguments.number("batch_max_delete_percent")
    # the negated form refuses NaN too
    if not 0 <= percent <= 100:
        raise invalid_option(PREFIX + "batch_max_delete_percent", percent, "is out of range", "Give a number from 0 to 100.")
    # the module would name its own option
    named_location(arguments.text("ledger"), {}, f"{PREFIX}ledger")
    return ReconciliationSettings(
        connection=_given(arguments, _CONNECTION),
        syncing=_given(arguments, _SYNCING),
        zones=arguments.texts("zones"),
        zone_filter=arguments.text("zone_filter"),
        admin_group=arguments.text("admin_group"),
        inventory_group=arguments.text("inventory_group"),
        backend=_backend(arguments.mapping("backend"), f"{PREFIX}backend.") if arguments.values["backend"] else None,
        backends=_backends(arguments.mapping("backends")),
        guard=_options(arguments.mapping("guard"), _GUARD, f"{PREFIX}guard.") if arguments.values["guard"] else None,
        batch_max_delete_percent=percent,
        approve=_digests(arguments.mapping("approve")),
        only_approved=arguments.flag("only_approved"),
        fail_on_drift=arguments.flag("fail_on_drift"),
        report_path=arguments.text("report_path"),
    )


def name_variables(message: str) -> str:
    """What a module says of required options, by the variables of the role that give them; any other message as it is."""
    if not message.startswith(MISSING):
        return message
    named = [PREFIX + name if name.split(" ")[0] in VARIABLES else name for name in message[len(MISSING) :].split(", ")]
    return MISSING + ", ".join(named)


def notify_settings(variables: Options) -> dict[str, object]:
    """Whom to notify, also where other variables are wrong.

    :raises SyncError: ``invalid_option``.
    """
    found = read_arguments({"notify": variables.get("notify")}, {"notify": VARIABLES["notify"]}, PREFIX).mapping("notify")
    check(found, RECONCILIATION)
    return found


def report_settings(variables: Options) -> tuple[str, bool]:
    """Where the report goes and whether drift is a failure, also where other variables are wrong.

    :raises SyncError: ``invalid_option``.
    """
    names = ("report_path", "fail_on_drift")
    found = read_arguments(
        {name: variables[name] for name in names if name in variables}, {name: VARIABLES[name] for name in names}, PREFIX
    )
    return found.text("report_path"), found.flag("fail_on_drift")


def _given(arguments: RoleArguments, types: ArgumentTypes) -> Options:
    return {name: arguments.values[name] for name in types if arguments.values[name] is not None}


def _options(given: Options, types: ArgumentTypes, where: str) -> Options:
    values = read_arguments(given, types, where).values
    return {name: value for name, value in values.items() if value is not None}


def _backend(given: Options, where: str) -> Options:
    options = _options(given, _BACKEND, where)
    for name, other in (("tsig_name", "tsig_secret"), ("tsig_secret", "tsig_name")):
        if name in options and other not in options:
            problem = f"option {where}{other} is missing, and {name} is given"
            raise SyncError("invalid_option", problem, "Give both or none of them.")
    return options


def _backends(given: Options) -> dict[str, Options]:
    found = {}
    for zone, backend in given.items():
        entry = read_arguments({zone: backend}, {zone: {"type": "dict", "required": True}}, f"{PREFIX}backends.")
        found[canonical(zone)] = _backend(entry.mapping(zone), f"{PREFIX}backends[{zone}].")
    return found


def _digests(given: Options) -> dict[str, str]:
    types: dict[str, ArgumentType] = {zone: {"type": "str", "required": True, "identity": True} for zone in given}
    arguments = read_arguments(given, types, f"{PREFIX}approve.")
    return {canonical(zone): arguments.text(zone).strip() for zone in given}
