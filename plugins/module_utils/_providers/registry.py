# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""All providers, found by their folders: a new one needs no edit here."""

from __future__ import annotations

import importlib
import pkgutil
import typing as t

from .._lifecycle.provider import Provider
from .._operations.descriptor import ProviderDescriptor, ProviderWorkflow

_PACKAGE = __name__.rpartition(".")[0]


def _descriptors() -> dict[str, ProviderDescriptor]:
    package = importlib.import_module(_PACKAGE)
    folders = sorted(found.name for found in pkgutil.iter_modules(package.__path__) if found.ispkg)
    return {name: importlib.import_module(f"{_PACKAGE}.{name}.descriptor").DESCRIPTOR for name in folders}


#: by the name of the folder
DESCRIPTORS: t.Mapping[str, ProviderDescriptor] = _descriptors()

#: provider classes by their names
PROVIDERS: t.Mapping[str, type[Provider]] = {
    provider_class.name: provider_class for descriptor in DESCRIPTORS.values() for provider_class in descriptor.classes
}

#: how a target is promoted, by the name of the provider
WORKFLOWS: t.Mapping[str, ProviderWorkflow] = {
    name: workflow for descriptor in DESCRIPTORS.values() for name, workflow in descriptor.workflows.items()
}
