# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Options as mergeable specs, and the checks that an argument spec cannot express."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import typing as t
import urllib.parse

from ansible.module_utils.errors import AnsibleFallbackNotFound

from .errors import SyncError, invalid_option
from .files import kind_of_other
from .texts import has_surrogates

MAX_WAIT_TIMEOUT = 7 * 24 * 3600
MAX_REQUEST_TIMEOUT = 3600
MAX_PARALLEL = 64
MAX_RUNNING = 1_000_000

Options = t.Mapping[str, t.Any]


@dataclasses.dataclass(frozen=True)
class ArgumentSpec:
    """What AnsibleModule wants to know about options, as a value that can be added to another one.

    :param texts: options that take text only, see :func:`check_identities`.
    :param ids: options that take names and ids of a system whose ids are whole numbers: text or such numbers.
    """

    arguments: t.Mapping[str, t.Mapping[str, t.Any]] = dataclasses.field(default_factory=dict)
    texts: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    required_together: tuple[tuple[str, ...], ...] = ()
    mutually_exclusive: tuple[tuple[str, ...], ...] = ()
    required_one_of: tuple[tuple[str, ...], ...] = ()
    required_if: tuple[tuple[t.Any, ...], ...] = ()

    def __add__(self, other: ArgumentSpec) -> ArgumentSpec:
        twice = set(self.arguments) & set(other.arguments)
        if twice:
            raise ValueError(f"options defined twice: {', '.join(sorted(twice))}")
        return ArgumentSpec(
            {**self.arguments, **other.arguments},
            self.texts + other.texts,
            self.ids + other.ids,
            self.required_together + other.required_together,
            self.mutually_exclusive + other.mutually_exclusive,
            self.required_one_of + other.required_one_of,
            self.required_if + other.required_if,
        )

    def as_kwargs(self) -> dict[str, t.Any]:
        """Arguments of AnsibleModule (and of ArgumentSpecValidator)."""
        return {
            "argument_spec": {name: dict(spec) for name, spec in self.arguments.items()},
            "required_together": [list(item) for item in self.required_together],
            "mutually_exclusive": [list(item) for item in self.mutually_exclusive],
            "required_one_of": [list(item) for item in self.required_one_of],
            "required_if": [list(item) for item in self.required_if],
        }


def environment_fallback(*names: str) -> str:
    """The first of these environment variables that has a content.

    An empty one counts as not set: AWX sets the variable of each field of a credential, whether the field has a content or not.

    :raises AnsibleFallbackNotFound: if none has.
    """
    for name in names:
        if os.environ.get(name):
            return os.environ[name]
    raise AnsibleFallbackNotFound


def from_env(*names: str) -> dict[str, t.Any]:
    """The part of an option's spec that lets it fall back to environment variables, first one first."""
    return {"fallback": (environment_fallback, list(names))}


def words_in(arguments: t.Mapping[str, t.Mapping[str, t.Any]]) -> set[str]:
    """The words that options may put into fields of ours: their names, after which guards are called, and their choices."""
    words = set(arguments)
    for spec in arguments.values():
        words |= {choice for choice in spec.get("choices", ()) if isinstance(choice, str)} | words_in(spec.get("options", {}))
    return words


def environment_names(spec: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """The environment variables that an option falls back to, first one first."""
    return tuple(spec.get("fallback", (None, ()))[1])


def with_environment(name: str, spec: t.Mapping[str, t.Any]) -> str:
    """The name of an option for a message, with the environment variables that may give it instead."""
    variables = environment_names(spec)
    if not variables:
        return name
    return f"{name} (or the environment variable {' or '.join(variables)})"


#: what Ansible says of required options, followed by their names (``check_required_arguments``, ansible-core 2.18 to 2.21)
MISSING = "missing required arguments: "


def explain_missing(message: str, arguments: t.Mapping[str, t.Mapping[str, t.Any]]) -> str:
    """Ansible's message about required options, with the environment variables of each; any other message as it is."""
    if not message.startswith(MISSING):
        return message
    names, found, where = message[len(MISSING) :].partition(" found in ")
    # options within another one have no environment variables
    known = {} if found else arguments
    return MISSING + ", ".join(with_environment(name, known.get(name, {})) for name in names.split(", ")) + found + where


CONNECTION = ArgumentSpec(
    {
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "client_cert": {"type": "path"},
        "client_key": {"type": "path", "no_log": False},
        "request_timeout": {"type": "float", "default": 30.0},
    },
    required_together=(("client_key", "client_cert"),),
)

PARALLEL = ArgumentSpec({"max_parallel": {"type": "int", "default": 8}})

WAITING = PARALLEL + ArgumentSpec(
    {
        "wait_timeout": {"type": "float", "default": 900.0},
        "poll_min_interval": {"type": "float", "default": 0.5},
        "poll_max_interval": {"type": "float", "default": 5.0},
        "on_timeout": {"type": "str", "choices": ["fail", "warn"], "default": "fail"},
        "settle_grace": {"type": "float", "default": 30.0},
        "outage_grace": {"type": "float", "default": 60.0},
        "rate_limit": {"type": "float"},
        "report_path": {"type": "path"},
        # without it, the environment counts. It is read where it is needed, since a password may be there
        "ledger": {"type": "str", "aliases": ["ledger_path"]},
    }
)

SYNCING = ArgumentSpec(
    {
        "wait": {"type": "bool", "default": True},
        "if_running": {"type": "str", "choices": ["join", "fail", "queue"], "default": "join"},
        "max_age": {"type": "float"},
        "release": {"type": "str"},
        "force": {"type": "bool", "default": False},
    },
    texts=("release",),
)


#: options about many targets in one task
BULK = ArgumentSpec(
    {
        "max_running": {"type": "int"},
        "fail_fast": {"type": "bool", "default": False},
        "max_failures": {"type": "int"},
    }
)


def check_connection(options: Options) -> None:
    """Refuse connection options that cannot work.

    :raises SyncError: ``invalid_option``.
    """
    check_range(options, "request_timeout", 0.1, MAX_REQUEST_TIMEOUT, "seconds")
    for name in ("ca_path", "client_cert", "client_key"):
        path = options.get(name)
        if path and not os.path.exists(path):
            raise invalid_option(name, path, "does not exist", "Name a file that this host can read.")


def check_waiting(options: Options) -> None:
    """Refuse waiting options that cannot work.

    :raises SyncError: ``invalid_option``.
    """
    check_range(options, "wait_timeout", 0, MAX_WAIT_TIMEOUT, "seconds")
    check_range(options, "poll_min_interval", 0.05, MAX_REQUEST_TIMEOUT, "seconds")
    check_range(options, "poll_max_interval", 0.05, MAX_REQUEST_TIMEOUT, "seconds")
    check_range(options, "settle_grace", 0, MAX_REQUEST_TIMEOUT, "seconds")
    check_range(options, "outage_grace", 0, MAX_WAIT_TIMEOUT, "seconds")
    check_range(options, "max_parallel", 1, MAX_PARALLEL, "targets at once")
    check_range(options, "rate_limit", 0.01, 10_000, "requests a second")
    check_range(options, "max_running", 1, MAX_RUNNING, "targets at once")
    check_range(options, "max_failures", 1, MAX_RUNNING, "targets")
    check_range(options, "max_age", 0, float("inf"), "seconds")
    if "poll_min_interval" in options and options["poll_min_interval"] > options["poll_max_interval"]:
        raise invalid_option(
            "poll_min_interval",
            options["poll_min_interval"],
            f"is greater than poll_max_interval ({options['poll_max_interval']:g})",
            "Lower poll_min_interval or raise poll_max_interval.",
        )
    if options.get("release") is not None and not options["release"].strip():
        raise invalid_option("release", options["release"], "is empty", "Leave the option out, or name a release.")
    report = options.get("report_path")
    kind = kind_of_other(report) if report else ""
    if kind:
        raise invalid_option("report_path", report, f"is {kind}", "Name a file.")
    if report and not os.path.isdir(os.path.dirname(os.path.abspath(report))):
        raise invalid_option("report_path", report, "lies in a directory that does not exist", "Create the directory first.")


def check_range(options: Options, name: str, low: float, high: float, unit: str) -> None:
    """Refuse a number, if there is one, that is not from ``low`` to ``high``.

    :raises SyncError: ``invalid_option``.
    """
    value = options.get(name)
    # the negated form refuses NaN too
    if value is not None and not low <= value <= high:
        limits = f"from {low:g} to {high:g}" if high != float("inf") else f"of at least {low:g}"
        raise invalid_option(name, value, "is out of range", f"Use a value {limits} {unit}.")


def list_of_names(options: Options, name: str) -> list[str]:
    """The target list of a module, without the blanks of an ad-hoc command.

    :raises SyncError: ``invalid_option`` if it is empty or holds an empty name.
    """
    values = [str(value).strip() for value in options[name]]
    if not values or not all(values):
        remedy = f"Give at least one entry in {name}, none of them empty."
        raise invalid_option(name, options[name], "names nothing to sync", remedy)
    return values


def check_identities(spec: ArgumentSpec, given: Options) -> None:
    """Refuse releases, targets and ids that are not text: YAML reads ``2026.10`` as the number that ``2026.1`` is, too.

    Ansible would turn such a number, or a date, into the text of another release or target without a word.

    :param given: the arguments as the task has them, before Ansible converts them to the types of the spec.
    :raises SyncError: ``invalid_option``.
    """
    for name, option, value in _identities(spec, given):
        text_of(option, value, name in spec.ids)


def check_secrets(arguments: t.Mapping[str, t.Mapping[str, t.Any]], options: Options, where: str = "") -> None:
    """Refuse secrets, and names of users, that UTF-8 cannot encode: environment variables of another encoding, as a rule.

    :param where: what the names of the options begin with.
    :raises SyncError: ``invalid_option``, without the value.
    """
    for name, spec in arguments.items():
        value = options.get(name)
        if isinstance(value, str) and (spec.get("no_log") or name.endswith("username")) and has_surrogates(value):
            problem = f"option {where}{with_environment(name, spec)} has characters that UTF-8 cannot encode"
            raise SyncError("invalid_option", problem, "Give it in UTF-8.")
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, t.Mapping) and spec.get("options"):
                check_secrets(spec["options"], item, f"{where}{name}.")


def has_dated_identity(spec: ArgumentSpec, given: Options) -> bool:
    """Whether a release, target or id is a date of YAML, which is text by the time that a module process gets it."""
    return any(isinstance(value, dt.date) for dummy, _option, value in _identities(spec, given))


def _identities(spec: ArgumentSpec, given: Options) -> t.Iterator[tuple[str, str, object]]:
    """The releases, targets and ids that are given: the name of the option, the one that was used for it, and the value."""
    for name in (*spec.texts, *spec.ids):
        for alias in (name, *spec.arguments[name].get("aliases", ())):
            value = given.get(alias)
            is_list = spec.arguments[name].get("type") == "list"
            for item in value if is_list and isinstance(value, list) else () if value is None else [value]:
                yield name, alias, item


def text_of(option: str, value: object, whole_numbers: bool = False) -> str:
    """The text of a value that names something.

    :param whole_numbers: accept these as well. Their text is exact, except for notations that YAML evaluates (``010``), which is
        why a release has to be text.
    :raises SyncError: ``invalid_option`` for anything else.
    """
    if isinstance(value, str):
        return value
    if whole_numbers and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float, dt.date)):
        kind = "a truth value" if isinstance(value, bool) else "a number" if isinstance(value, (int, float)) else "a date"
        shown = str(value) if isinstance(value, dt.date) else value
        where = "where it is defined, in the answer of a survey, too"
        remedy = f"Put the value in quotes {where}: without them, YAML reads 2026.10 as {2026.10} and no as false."
        raise invalid_option(option, shown, f"is {kind} and not text", remedy)
    raise invalid_option(option, value, "is not text", "Give one name, as text.")


def secrets_in(options: Options, arguments: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """The values of all options that are marked as secret, and what addresses carry that may be, at any depth."""
    found: list[str] = []
    for name, spec in arguments.items():
        value = options.get(name)
        if spec.get("no_log") and isinstance(value, str):
            found.append(value)
        elif name.endswith("_url") and isinstance(value, str):
            found += _secrets_in_address(value)
        elif spec.get("options"):
            for item in value if isinstance(value, list) else [value]:
                found += secrets_in(item, spec["options"]) if isinstance(item, t.Mapping) else []
    return found


def _secrets_in_address(address: str) -> list[str]:
    """Credentials, query and fragment. An address that has any is refused, and shown nowhere."""
    place = address.partition("://")[2] or address
    userinfo, dummy, rest = place.rpartition("@")
    user, dummy, password = userinfo.partition(":")
    query, dummy, fragment = rest.partition("?")[2].partition("#")
    found = [password or user, query, fragment or rest.partition("#")[2]]
    return [text for each in dict.fromkeys(found) if each for text in dict.fromkeys((each, urllib.parse.unquote(each)))]
