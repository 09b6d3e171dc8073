# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What the inventory plugins have in common: each of them is a file of options for the same mechanism."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import threading
import time
import typing as t

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ...module_utils._core.clock import SystemClock
from ...module_utils._core.errors import SyncError
from ...module_utils._core.libraries import missing_library
from ...module_utils._core.options import Options, explain_missing
from ...module_utils._operations.inventory import InventorySource
from ...module_utils._operations.module import interruptible_clock
from ...module_utils._operations.task import Context
from .._actions.controller import plain
from .hosts import Listing, TargetFields, host_name, host_variables

try:
    from ansible.template import trust_as_template
except ImportError:
    # ansible-core 2.18 evaluates every text
    trust_as_template = str

#: of all hosts. The Python that runs Ansible has the libraries; the one that Ansible would look for may have none of them
GROUP_VARIABLES: t.Mapping[str, str] = {
    "ansible_connection": "local",
    "ansible_python_interpreter": trust_as_template("{{ ansible_playbook_python }}"),
}
#: take a tenth of a second
FINGERPRINT_ROUNDS = 200_000


class TargetInventory(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # ansible-core ships no types
    """The targets of a system are hosts, to which nothing ever connects.

    Its last part of the name is that of the system, and what the names of files, groups and variables begin or end with.
    """

    #: how the targets are listed, the one of the descriptor of the system
    source: t.ClassVar[InventorySource]

    @property
    def system(self) -> str:
        return str(self.NAME).rpartition(".")[2]

    def verify_file(self, path: str) -> bool:
        names = tuple(f"{self.system}.{suffix}" for suffix in ("yml", "yaml"))
        return bool(super().verify_file(path)) and path.endswith(names)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """:raises AnsibleParserError: with the code of the failure, what is wrong and what to do about it."""
        super().parse(inventory, loader, path, cache)
        try:
            self._add_hosts(self.source, path, cache)
        except SyncError as error:
            raise AnsibleParserError(error.coded_text) from None

    def _add_hosts(self, source: InventorySource, path: str, cache: bool) -> None:
        given = plain(self._read_config_data(path), dates=True)
        self._check_names(given)
        options = self._validated(source, given)
        listing = self._cached_or_read(source, options, given, path, cache)
        group = self.inventory.add_group(f"{self.system}_{source.key}")
        for variable, value in GROUP_VARIABLES.items():
            self.inventory.set_variable(group, variable, value)
        for target in listing.at(time.time()):
            self._add_host(source, target, group)

    def _add_host(self, source: InventorySource, target: TargetFields, group: str) -> None:
        name, strict = host_name(target, source.host), self.get_option("strict")
        self.inventory.add_host(name, group=group)
        for variable, value in host_variables(target, self.system).items():
            self.inventory.set_variable(name, variable, value)
        variables = self.inventory.get_host(name).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)

    def _check_names(self, given: t.Iterable[str]) -> None:
        """Refuse options that do not exist, which Ansible ignores: a filter with a typing error would be no filter."""
        known = constants.config.get_configuration_definitions("inventory", self._load_name)
        for name in sorted(set(given) - set(known)):
            remedy = f"Correct or remove it; ansible-doc -t inventory {self.NAME} lists the options."
            raise SyncError("invalid_option", f"option {name} does not exist", remedy)

    def _validated(self, source: InventorySource, given: t.Collection[str]) -> Options:
        """The options as a module has them, from the file and the environment, with templates in the texts of the file evaluated.

        :param given: names of those that the file has.
        :raises SyncError: ``invalid_option``.
        """
        arguments = source.operation.spec.arguments
        # what is empty counts as not given, as an environment variable does
        values = {name: value for name in arguments if (value := self.get_option(name)) not in (None, "")}
        given = {
            name: self._evaluated(name, value, bool(arguments[name].get("no_log"))) if name in given else plain(value)
            for name, value in values.items()
        }
        outcome = ArgumentSpecValidator(**source.operation.spec.as_kwargs()).validate(given)
        if outcome.error_messages:
            message = explain_missing(outcome.error_messages[0], source.operation.spec.arguments)
            raise SyncError("invalid_option", message, f"Set it in the file, see ansible-doc -t inventory {self.NAME}.")
        options: Options = outcome.validated_parameters
        for library, problem in source.operation.requirements(options):
            if problem is not None:
                raise SyncError("library_missing", missing_library(library))
        return options

    def _evaluated(self, name: str, value: object, secret: bool) -> object:
        """An option of the file with its templates evaluated.

        Why that fails for a secret stays unsaid, since some releases of Ansible quote the whole text.

        :raises SyncError: ``invalid_option``.
        """
        try:
            return plain(self.templar.template(value))
        except AnsibleError as error:
            reason = "" if secret else f": {str(error).rstrip('. ')}"
            problem = f"option {name} cannot be evaluated{reason}"
        raise SyncError("invalid_option", problem, "Correct the template in the file, or set what it refers to.")

    def _cached_or_read(self, source: InventorySource, options: Options, given: Options, path: str, cache: bool) -> Listing:
        """The targets, from the cache if it is in use and has them."""
        key = f"{self.get_cache_key(path)}_{_fingerprint(source, options)}" if self.get_option("cache") else None
        found = Listing.from_cache(self._cache.get(key)) if key and cache else None
        if found is None:
            found = Listing(time.time(), tuple(self._read(source, options, given)))
            if key:
                self._cache[key] = found.for_cache()
        return found

    def _read(self, source: InventorySource, options: Options, given: Options) -> list[TargetFields]:
        """The targets as the system has them now.

        :param given: the options before Ansible converted them to their types.
        :raises SyncError: they cannot be read.
        """
        with contextlib.ExitStack() as stack:
            clock = SystemClock()
            if threading.current_thread() is threading.main_thread():
                # the user who interrupts ends Ansible as well
                clock = stack.enter_context(interruptible_clock(signal.SIGTERM, signal.SIGINT, pass_on=True))
            result = source.operation.execute(options, Context(clock=clock, given=given))
        for text in result["warnings"]:
            self.display.warning(text)
        if result.get("failed"):
            failure = result["failure"]
            raise SyncError(failure["code"], failure["message"], failure["hint"], failure["http_status"])
        targets: list[TargetFields] = result[source.key]
        return targets


def _fingerprint(source: InventorySource, options: Options) -> str:
    """What differs where other targets may be listed: other filters, and other credentials, which may see less.

    It becomes the name of a file, so it is made in a way that takes long, lest somebody who reads it tries passwords.
    """
    arguments = source.operation.spec.arguments
    secret = {name: value for name, value in options.items() if arguments[name].get("no_log")}
    shown = {name: value for name, value in options.items() if name not in secret}
    password, salt = (json.dumps(part, sort_keys=True, default=str).encode() for part in (secret, shown))
    return hashlib.pbkdf2_hmac("sha256", password, salt, FINGERPRINT_ROUNDS).hex()[:16]
