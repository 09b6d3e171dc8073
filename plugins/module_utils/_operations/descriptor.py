# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""What the rest of the collection has to know about a provider: one descriptor in each folder of ``_providers``.

The registry, the options of ``sync_wait``, the providers of the promotion, the action groups and the checks of the documentation
follow from it.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._core.errors import SyncError
from .._core.options import SYNCING, Options, environment_names
from .._http.client import parse_api_url
from .._lifecycle.provider import Provider
from .inventory import InventorySource
from .sync import sync_spec

#: options that say how to connect and wait are those of the sync for backup and restore, too; these are for the sync alone
_ONLY_FOR_SYNC = frozenset({"max_age", "force", "if_running"})


@dataclasses.dataclass(frozen=True)
class ModuleCall:
    """A module, and the provider class behind it, which knows its options."""

    module: str
    provider: type[Provider]

    def takes(self, options: Options) -> dict[str, t.Any]:
        """Those of the options of the sync that this module has, too: a backup is made with the same connection."""
        known: set[str] = set()
        for name, spec in sync_spec(self.provider).arguments.items():
            known |= {name, *spec.get("aliases", ())}
        return {name: value for name, value in options.items() if name in known - _ONLY_FOR_SYNC}

    def decisive(self, options: Options) -> dict[str, t.Any]:
        """Those of the options that say what is done, rather than how to connect or wait. None of them is a secret."""
        found: dict[str, t.Any] = {}
        for name, spec in {**self.provider.sync_spec.arguments, **SYNCING.arguments}.items():
            for given in (name, *spec.get("aliases", ())):
                if given in options and not spec.get("no_log"):
                    found[name] = options[given]
        return found


@dataclasses.dataclass(frozen=True)
class ProviderWorkflow:
    """The modules that promote a target, save it before and restore it afterwards.

    :param title: what a target without a name is called.
    :param selects: the option of the sync module that names the target, with its aliases; empty if it is the server itself.
    :param staging: whether there is a staging area that has to be there.
    :param checks: preflight check that a failure code of this provider is about.
    """

    title: str
    selects: tuple[str, ...]
    sync: ModuleCall
    staging: bool = True
    backup: ModuleCall | None = None
    restore: ModuleCall | None = None
    checks: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def address(self, options: Options, environ: t.Mapping[str, str]) -> str:
        """Where the API is, in its canonical form; empty if that is not known."""
        spec = self.sync.provider.connection_spec.arguments["api_url"]
        found = (environ[name] for name in environment_names(spec) if environ.get(name))
        try:
            return parse_api_url(str(options.get("api_url") or next(found, None) or spec.get("default") or ""))
        except SyncError:
            return ""


@dataclasses.dataclass(frozen=True)
class ProviderDescriptor:
    """One upstream system.

    :param name: name of its folder and of its action group, and the first part of the names of its modules.
    :param classes: its provider classes, the one that syncs first.
    :param failure_codes: codes that no other part of the collection uses, each with its meaning.
    :param workflows: how targets are promoted, by the name of the provider class; empty if they are not.
    :param inventory: how targets are listed; ``None`` if they are not. The inventory plugin has the name of the system.
    """

    name: str
    classes: tuple[type[Provider], ...]
    failure_codes: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    workflows: t.Mapping[str, ProviderWorkflow] = dataclasses.field(default_factory=dict)
    inventory: InventorySource | None = None

    @property
    def environment(self) -> tuple[str, ...]:
        """The environment variables that its connection options fall back to."""
        names: dict[str, None] = {}
        for provider_class in self.classes:
            for spec in provider_class.connection_spec.arguments.values():
                names.update(dict.fromkeys(environment_names(spec)))
        return tuple(names)
