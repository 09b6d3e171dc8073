# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server imports that process.py and playbooks.py fork from: all that does not depend on the environment."""

from __future__ import annotations

import contextlib
import gc
import importlib
import pickle
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from types import CodeType
from typing import Any

import yaml

from .process import MODULES, NAMES

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
    "yaml",
)
OPTIONAL = ("dns.zone", "psycopg")

for _name in (*LIBRARIES, *(f"{MODULES}.{name}" for name in NAMES)):
    importlib.import_module(_name)
for _name in OPTIONAL:
    with contextlib.suppress(ImportError):
        importlib.import_module(_name)


def _compile_collection() -> dict[tuple[str, str], CodeType]:
    """The code of each plugin, by its source and the file name by which Ansible knows it."""
    plugins = Path(__file__).parents[2] / "plugins"
    installed = Path(sysconfig.get_path("purelib")) / "ansible_collections" / "lockstep" / "sync" / "plugins"
    found = {}
    for path in plugins.rglob("*.py"):
        source, name = path.read_text(), str(installed / path.relative_to(plugins))
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


# What is in use now is in use for ever, so that no process that is forked copies it in order to look.
gc.freeze()
