# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret that equals a word of ours masks this word in no field: names of checks, rules of guards, choices of options."""

from __future__ import annotations

import ast
import typing as t
from pathlib import Path

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import MASK, Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._core.vocabulary import WORDS
from ansible_collections.lockstep.sync.plugins.module_utils._dns import guard
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import own_words
from ansible_collections.lockstep.sync.plugins.module_utils._providers.crafter.info import INFO_WORDS
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS, WORKFLOWS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.phase import OWN_WORDS
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.vocabulary import CheckName

ROOT = Path(__file__).parents[3]
CHECKS = t.get_args(CheckName)


def constants(node: ast.AST) -> set[str]:
    return {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}


def rules() -> set[str]:
    """What guards are called in the code: the first argument of each violation, and the names in the files of guards."""
    found = set()
    for path in (ROOT / "plugins/module_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Violation" and node.args:
                found |= constants(node.args[0])
    return found | set(guard.LIFTED_BY_APPROVE)


@pytest.mark.parametrize("word", sorted(CHECKS))
def test_the_name_of_a_check_stays(word: str) -> None:
    report = {"targets": [{"checks": [{"name": word, "ok": False, "text": f"echo of {word}!"}]}]}
    shown = Redactor([word], OWN_WORDS).scrub(report)
    assert shown == {"targets": [{"checks": [{"name": word, "ok": False, "text": f"echo of {MASK}!"}]}]}


def test_checks_of_providers_are_checks() -> None:
    assert {name for workflow in WORKFLOWS.values() for name in workflow.checks.values()} <= set(CHECKS)


@pytest.mark.parametrize("rule", sorted(rules()))
def test_the_rule_of_a_guard_stays_in_a_promotion(rule: str) -> None:
    failure = {"code": "guard_refused", "guards": [{"rule": rule, "message": f"echo of {rule}!"}]}
    shown = Redactor([rule], OWN_WORDS).scrub({"failure": failure, "detail": {"guards": failure["guards"]}})
    assert shown["failure"]["guards"] == shown["detail"]["guards"] == [{"rule": rule, "message": f"echo of {MASK}!"}]


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_limit_of_failures_stays(name: str) -> None:
    guards = [{"rule": "max_failures", "message": "2 targets have failed"}]
    assert Redactor(["max_failures"], own_words(PROVIDERS[name])).scrub({"guards": guards}) == {"guards": guards}


def test_the_words_in_handles_stay() -> None:
    for provider in PROVIDERS.values():
        for word in own_words(provider) | WORDS:
            handle = {"provider": provider.name, "type": word, "waits_for": word, "echo": f"<{word}>"}
            redactor = Redactor([word], own_words(provider))
            redactor.publish(provider.name)
            shown = redactor.scrub({"handle": handle})["handle"]
            assert (shown["type"], shown["waits_for"]) == (word, word)
    assert "staging" in own_words(PROVIDERS["serveravatar_restore"])
    assert {"application", "filesystem", "database"} <= own_words(PROVIDERS["serveravatar_backup"])


@pytest.mark.parametrize("word", sorted(INFO_WORDS))
def test_the_basis_of_a_comparison_stays(word: str) -> None:
    assert Redactor([word], INFO_WORDS).scrub({"in_sync_basis": word}) == {"in_sync_basis": word}


def test_every_word_of_a_type_of_results_is_known() -> None:
    """A new ``Literal`` is either a word of fields, and known to the redactor, or listed here with its file."""
    elsewhere = {
        # forms of JSON values, what an exception is about, the option that a probe is from, settings of the role
        "_http/json_reader.py",
        "_dns/transfer.py",
        "_promotion/calls.py",
        "_promotion/settings.py",
        "_probe/options.py",
        "_lifecycle/provider.py",
        # of leases, and why one is taken over: never in a result
        "_state/lease.py",
        "_promotion/journal.py",
        # of the result of a step, which is made of texts, and of the state of a publisher, which is not shown
        "_notifications/notify.py",
        "_providers/crafter/api.py",
    }
    known = WORDS | OWN_WORDS | INFO_WORDS
    unknown = []
    for path in (*(ROOT / "plugins/module_utils").rglob("*.py"), *(ROOT / "plugins/plugin_utils").rglob("*.py")):
        if any(str(path).endswith(name) for name in elsewhere):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "Literal":
                unknown += [f"{path.name}: {word}" for word in constants(node.slice) - known]
    assert unknown == []
