# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that AWX makes of a certificate, and which definitions of files it refuses."""

from __future__ import annotations

import copy
from typing import Any

import jinja2.sandbox
import pytest

from tests.awx import rules

from .conftest import Kit


def rendered(kit: Kit, **fields: str) -> tuple[str, str]:
    """The content of the file and PGSSLROOTCERT, as a job has them."""
    injectors = kit.keyed("credential_types")["ledger"]["injectors"]
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment()
    content = environment.from_string(injectors["file"]["template"]).render(**fields)
    variable = environment.from_string(injectors["env"]["PGSSLROOTCERT"])
    return content, variable.render(**fields, tower={"filename": "/runner/env/tmp1"})


def test_libpq_gets_the_certificate_if_there_is_one(kit: Kit) -> None:
    assert rendered(kit, location="postgresql:///", ca_certificate="PEM\n") == ("PEM\n", "/runner/env/tmp1")
    # the file is empty, and libpq would refuse it
    assert rendered(kit, location="postgresql:///") == ("", "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"file": {}}, "PGSSLROOTCERT uses an undefined field"),
        ({"file": {"template.ca": "x"}}, "Must define unnamed file injector"),
        ({"file": {"template": "x", "template.ca": "y"}}, "Must use multi-file syntax"),
        ({"file": {"certificate": "x"}}, "Additional properties"),
        ({"file": {"template.ca": "x"}, "env": {"CA": "{{ tower.filename.key }}"}}, "CA uses an undefined field"),
    ],
)
def test_files_that_awx_refuses(kit: Kit, change: dict[str, Any], reason: str) -> None:
    wrong = copy.deepcopy(kit.keyed("credential_types")["ledger"])
    wrong["injectors"].update(change)
    refusal = rules.credential_type(wrong)
    assert refusal is not None
    assert reason in str(refusal["injectors"])


def test_several_files_by_their_names_are_taken(kit: Kit) -> None:
    right = copy.deepcopy(kit.keyed("credential_types")["ledger"])
    env = {"CA": "{{ tower.filename.ca }}", "KEY": "{{ tower.filename.key }}"}
    right["injectors"] = {"file": {"template.ca": "x", "template.key": "y"}, "env": env}
    assert rules.credential_type(right) is None
