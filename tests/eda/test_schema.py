# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rulebooks are what ansible-rulebook accepts, those in the guide included, which are not all run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.unit.eda.test_documentation import rulebooks


@pytest.mark.parametrize("rule_set", rulebooks(), ids=lambda rule_set: rule_set["name"])
def test_a_rulebook_fits_the_schema(rule_set: dict[str, Any], programs: str) -> None:
    (path,) = (Path(programs).parent / "lib").glob("python*/site-packages/ansible_rulebook/schema/ruleset_schema.json")
    jsonschema.validate([rule_set], json.loads(path.read_text()))
