# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server imports that playbooks.py forks from: ansible-core and the collection, in an environment without settings.

ansible-core reads its settings while it is imported. A process that is forked has others, by variables of its environment and by
files: at least another ``HOME``. :func:`adopt_settings` says whether that can be made up for. It can

* if each setting that is given is one that ansible-core reads only when it uses it (:data:`LATE`). Ansible's own table of
  settings has the variables of the environment that these are read from. Variables of plugins are read when a plugin is used;
* if there is no ``ansible.cfg``;
* for the folders below ``HOME``: all constants that have one are set again, and lists of folders are changed in place, since
  Ansible's loaders of plugins have the same ones.

Otherwise, :func:`forget_ansible` has the process import everything anew.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import os
import pickle
import secrets
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import yaml

LIBRARIES = (
    "cryptography.hazmat.backends.openssl.backend",
    "cryptography.hazmat.primitives.ciphers",
    "cryptography.hazmat.primitives.hmac",
    "cryptography.hazmat.primitives.kdf.pbkdf2",
    "cryptography.hazmat.primitives.padding",
    "jinja2.nativetypes",
    "jinja2.sandbox",
    "multiprocessing.pool",
    "multiprocessing.queues",
    "packaging.requirements",
    "packaging.version",
    "requests",
)
OPTIONAL = ("dns.zone", "psycopg")

#: What Ansible imports from where it is installed, without what pytest adds.
SEARCHED = [path for path in sys.path if path.startswith((sys.prefix, sys.base_prefix))]
LOCALE = "C.UTF-8"
#: settings that ansible-core reads only when it uses them; what comes of them and of a file as output is the same without colors
LATE = frozenset(
    {
        "ANSIBLE_NOCOLOR",
        "DEFAULT_FORKS",
        "DEFAULT_LOCAL_TMP",
        "INVENTORY_ANY_UNPARSED_IS_FAILED",
        "LOCALHOST_WARNING",
        "SHOW_CUSTOM_STATS",
    }
)
#: kinds of plugins whose documentation Ansible parses in order to know their options, and those that templates use
KINDS = ("become", "cache", "callback", "connection", "filter", "inventory", "lookup", "shell", "strategy", "test", "vars")
ACTIONS = ("assert", "copy", "debug", "fail", "set_fact", "set_stats")

PLUGINS = Path(__file__).parents[2] / "plugins"


def _compile_collection() -> dict[tuple[str, str], CodeType]:
    """The code of each plugin, by its source and the file name by which Ansible knows it."""
    installed = Path(sysconfig.get_path("purelib")) / "ansible_collections" / "lockstep" / "sync" / "plugins"
    found = {}
    for path in PLUGINS.rglob("*.py"):
        source, name = path.read_text(), str(installed / path.relative_to(PLUGINS))
        found[source, name] = compile(source, name, "exec", dont_inherit=True)
    return found


CODE = _compile_collection()


def compile_once(source: str, filename: str, mode: str, flags: int = 0, dont_inherit: bool = False) -> CodeType:
    """As ``compile``, for Ansible's loader of collections, which does not keep what it compiles."""
    found = CODE.get((source, filename))
    return found or compile(source, filename, mode, flags, dont_inherit)


def _read_routing() -> tuple[bytes, bytes]:
    """Where ansible-core's own plugins are: as its file has it, which takes a tenth of a second to parse, and parsed."""
    text = (Path(sysconfig.get_path("purelib")) / "ansible" / "config" / "ansible_builtin_runtime.yml").read_bytes()
    return text, pickle.dumps(yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))


ROUTING, PARSED = _read_routing()


def parse_once(text: bytes | str, content_id: object) -> Mapping[str, Any]:
    """As the function of Ansible's loader of collections that it has replaced for such a purpose."""
    if text == ROUTING:
        found: Mapping[str, Any] = pickle.loads(PARSED)
        return found
    parse = importlib.import_module("ansible.utils.collection_loader._collection_meta")._meta_yml_to_dict
    parsed: Mapping[str, Any] = parse(text, content_id)
    return parsed


@contextlib.contextmanager
def _without_settings() -> Iterator[str]:
    """In an environment that has none, in a ``HOME`` that is gone afterwards."""
    variables, paths, folder, home = dict(os.environ), sys.path[:], Path.cwd(), tempfile.mkdtemp(prefix="lockstep-home-")
    os.chdir(home)
    os.environ.clear()
    os.environ.update(PATH=variables["PATH"], HOME=home, LC_ALL=LOCALE, ANSIBLE_NOCOLOR="1")
    sys.path[:] = SEARCHED
    try:
        yield home
    finally:
        os.chdir(folder)
        sys.path[:] = paths
        os.environ.clear()
        os.environ.update(variables)
        shutil.rmtree(home)


def _import_ansible() -> None:
    importlib.import_module("ansible.cli.playbook")
    replace_functions()
    loaders = importlib.import_module("ansible.plugins.loader")
    loaders.init_plugin_loader()
    for path in PLUGINS.rglob("*.py"):
        name = ".".join(path.relative_to(PLUGINS).with_suffix("").parts)
        importlib.import_module(f"ansible_collections.lockstep.sync.plugins.{name}")
    for kind in KINDS:
        list(getattr(loaders, f"{kind}_loader").all(class_only=True))
    for name in ACTIONS:
        loaders.action_loader.get(f"ansible.builtin.{name}", class_only=True)
    # where plugins are is looked up again, in case that a play has some of its own
    for loader in vars(loaders).values():
        if isinstance(loader, loaders.PluginLoader):
            loader._clear_caches()
    importlib.import_module("ansible.utils.collection_loader._collection_finder")._AnsibleCollectionFinder._remove()
    # its folder for temporary files is gone, too
    atexit.unregister(importlib.import_module("ansible.utils.path").cleanup_tmp_file)


def replace_functions() -> None:
    finder: Any = importlib.import_module("ansible.utils.collection_loader._collection_finder")
    finder.compile, finder._meta_yml_to_dict = compile_once, parse_once


def adopt_settings() -> bool:
    """Have Ansible read again what it may read again, in a process that has its own environment.

    :returns: False if it has to be imported anew.
    """
    constants: Any = importlib.import_module("ansible.constants")
    definitions: Mapping[str, Any] = constants.config.get_configuration_definitions()
    given = {
        name
        for name, definition in definitions.items()
        if any(source["name"] in os.environ for source in definition.get("env") or [])
    }
    find_file = importlib.import_module("ansible.config.manager").find_ini_config_file
    if os.environ.get("LC_ALL") != LOCALE or not given <= LATE or find_file() is not None:
        return False
    for name in definitions:
        old = getattr(constants, name)
        if name in given or name in LATE or HOME in str(old):
            new = constants.config.get_config_value(name, variables=vars(constants))
            if isinstance(old, list):
                old[:] = new
            else:
                constants.set_constant(name, new)
    # how often it looks whether a task has ended, a thousand times a second by default, which is a burden on a busy machine
    constants.set_constant("DEFAULT_INTERNAL_POLL_INTERVAL", 0.005)
    identifiers: Any = importlib.import_module("ansible.utils.vars")
    identifiers.random_int = secrets.token_hex(4)
    importlib.import_module("ansible.utils.display").Display()._set_column_width()
    return True


def forget_ansible() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("ansible", "ansible_collections")]:
        del sys.modules[name]
    replace_functions()


for _name in LIBRARIES:
    importlib.import_module(_name)
for _name in OPTIONAL:
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)
with _without_settings() as HOME:
    _import_ansible()

# What is in use now is in use for ever, so that no process that is forked copies it in order to look.
gc.freeze()
