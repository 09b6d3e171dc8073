# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Empty answers of a survey, for roles that a playbook of the user imports: Ansible checks their arguments before they do."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import read as promotion
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import read as reconciliation

ROOT = pathlib.Path(__file__).parents[5]
TARGETS = [{"provider": "plm", "options": {"api_url": "https://m.example.com"}}]


def spec_of(role: str) -> dict[str, Any]:
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return found


@pytest.mark.parametrize("role", ["staging_promotion", "dns_reconciliation"])
@pytest.mark.parametrize("answer", ["", " "])
def test_an_empty_answer_is_not_refused_before_the_role_runs(role: str, answer: str) -> None:
    spec = spec_of(role)
    # of a question with choices, one is the answer
    given = {name: answer for name, option in spec.items() if "choices" not in option and not option.get("required")}
    required: dict[str, Any] = {"staging_promotion_targets": TARGETS} if role == "staging_promotion" else {}
    outcome = ArgumentSpecValidator(spec).validate({**required, **given})
    assert outcome.error_messages == []
    assert len(given) > 10


@pytest.mark.parametrize("answer", ["", " "])
def test_an_empty_answer_means_that_the_variable_is_not_given(answer: str) -> None:
    names = [name.removeprefix("staging_promotion_") for name, option in spec_of("staging_promotion").items()]
    given: dict[str, object] = {**dict.fromkeys(names, answer), "targets": TARGETS}
    assert promotion(given) == promotion({"targets": TARGETS})
    names = [name.removeprefix("dns_reconciliation_") for name in spec_of("dns_reconciliation")]
    assert reconciliation(dict.fromkeys(names, answer)) == reconciliation({})
