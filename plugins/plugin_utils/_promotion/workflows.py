# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Which modules promote a target of each provider, save it before and restore it afterwards."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ...module_utils._core.errors import SyncError
from ...module_utils._core.options import SYNCING
from ...module_utils._http.client import parse_api_url
from ...module_utils._lifecycle.provider import Provider
from ...module_utils._operations.sync import sync_spec
from ...module_utils._providers.crafter.provider import Crafter
from ...module_utils._providers.crafter.publish import CrafterPublish
from ...module_utils._providers.plm.provider import PLM
from ...module_utils._providers.serveravatar.backup import ServerAvatarBackup
from ...module_utils._providers.serveravatar.provider import ServerAvatar
from ...module_utils._providers.serveravatar.restore import ServerAvatarRestore

Json = dict[str, t.Any]

#: options that say how to connect and wait are those of the sync for backup and restore, too; these are for the sync alone
_OF_THE_SYNC = frozenset({"max_age", "force", "if_running"})

#: options of sync modules that the role sets itself
REFUSED_OPTIONS = frozenset({"release", "wait", "on_timeout", "report_path", "ledger_path"})


@dataclasses.dataclass(frozen=True)
class ModuleCall:
    """A module, and the provider behind it, which knows its options."""

    module: str
    provider: type[Provider]

    def takes(self, options: Json) -> Json:
        """Those of the options of the sync that this module has, too: a backup is made with the same connection."""
        known: set[str] = set()
        for name, spec in sync_spec(self.provider).arguments.items():
            known |= {name, *spec.get("aliases", ())}
        return {name: value for name, value in options.items() if name in known - _OF_THE_SYNC}

    def decisive(self, options: Json) -> Json:
        """Those of the options that say what is done, rather than how to connect or wait. None of them is a secret."""
        found: Json = {}
        for name, spec in {**self.provider.sync_spec.arguments, **SYNCING.arguments}.items():
            for given in (name, *spec.get("aliases", ())):
                if given in options and not spec.get("no_log"):
                    found[name] = options[given]
        return found


@dataclasses.dataclass(frozen=True)
class ProviderWorkflow:
    """The modules of a provider.

    :param title: what a target without a name is called.
    :param staging: whether there is a staging area that has to be there.
    :param selects: the option of the sync module that names the target, with its aliases; empty if it is the server itself.
    """

    title: str
    selects: tuple[str, ...]
    sync: ModuleCall
    staging: bool = True
    backup: ModuleCall | None = None
    restore: ModuleCall | None = None

    def address(self, options: Json, environ: t.Mapping[str, str]) -> str:
        """Where the API is, in its canonical form; empty if that cannot be told."""
        spec = self.sync.provider.connection_spec.arguments["api_url"]
        names = spec.get("fallback", (None, []))[1]
        found = (environ[name] for name in names if environ.get(name))
        try:
            return parse_api_url(str(options.get("api_url") or next(found, None) or spec.get("default") or ""))
        except SyncError:
            return ""


_SITES = ("sites", "site_id", "site")

WORKFLOWS: t.Mapping[str, ProviderWorkflow] = {
    "crafter": ProviderWorkflow("Crafter site", _SITES, ModuleCall("crafter_staging_sync", Crafter)),
    "crafter_publish": ProviderWorkflow(
        "Crafter site", ("sites", "site_id", "site"), ModuleCall("crafter_publish", CrafterPublish), staging=False
    ),
    "plm": ProviderWorkflow("PLM media", (), ModuleCall("plm_storage_sync", PLM), staging=False),
    "serveravatar": ProviderWorkflow(
        "application",
        ("applications", "application"),
        ModuleCall("serveravatar_staging_sync", ServerAvatar),
        backup=ModuleCall("serveravatar_backup", ServerAvatarBackup),
        restore=ModuleCall("serveravatar_restore", ServerAvatarRestore),
    ),
}


def environment() -> t.Mapping[str, str]:
    """The environment that the modules fall back to on this machine."""
    return os.environ
