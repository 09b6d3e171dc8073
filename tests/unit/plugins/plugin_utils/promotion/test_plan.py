# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a promotion and its digest."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.checks import key_of, reject_duplicates, with_plan
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.digest import digest_of
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.module_result import ModuleResult
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import PromotionSettings, read
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.state import Actor, ResumedFrom, TargetKey, TargetPlan
from tests.unit.plugins.plugin_utils.promotion.states import (
    BEGIN,
    Json,
    checks_of,
    failure,
    record,
    result,
    settings_of,
    state_of,
    target_of,
)


class TestPlan:
    def test_when_all_is_well(self) -> None:
        target = with_plan(target_of(), result(), 95)
        assert target.plan == TargetPlan("would_trigger", "because of would_trigger", None)
        assert (target.target, target.requests) == ("shop", 3)
        assert checks_of(target) == dict.fromkeys(("connection", "credentials", "target", "staging", "idle", "disk"), True)

    @pytest.mark.parametrize(
        ("code", "culprit", "passed"),
        [
            ("connection_failed", "connection", 0),
            ("tls_failed", "connection", 0),
            ("redirect_refused", "connection", 0),
            ("auth_failed", "credentials", 1),
            ("permission_denied", "credentials", 1),
            ("not_found", "target", 2),
            ("endpoint_missing", "target", 2),
            ("staging_disabled", "staging", 3),
            ("busy", "idle", 4),
            ("disk_full", "disk", 5),
            ("server_error", "plan", 0),
            ("bad_response", "plan", 0),
        ],
    )
    def test_what_failed_and_what_is_not_known_therefore(self, code: str, culprit: str, passed: int) -> None:
        target = with_plan(target_of(), result("refused", failure=failure(code), detail={}), 95)
        checks = checks_of(target)
        assert [name for name, ok in checks.items() if ok is False] == [culprit]
        assert sum(ok is True for ok in checks.values()) == passed
        assert target.failed_checks[0].text == "it says no. Look at it."

    @pytest.mark.parametrize(
        ("outcome", "words"),
        [
            ({"failed": True, "msg": "Unsupported parameters: serfer"}, "Unsupported parameters: serfer."),
            (
                {"failed": True, "syncs": [], "failure": failure("invalid_option", "option x: 1 is bad")},
                "option x: 1 is bad. Look",
            ),
            ({}, "the module ended without a result."),
        ],
    )
    def test_a_module_that_could_not_begin(self, outcome: Json, words: str) -> None:
        target = with_plan(target_of(), ModuleResult.from_json(outcome), 95)
        assert target.plan
        assert target.plan.action == "refused"
        assert target.checks[0].name == "plan"
        assert target.checks[0].text.startswith(words)
        assert not target.has_work

    @pytest.mark.parametrize(
        ("used", "limit", "ok"), [(95.0, 95.0, True), (95.1, 95.0, False), (0, 0.0, True), (None, 95.0, None)]
    )
    def test_the_disk(self, used: float | None, limit: float, ok: bool | None) -> None:
        target = with_plan(target_of(), result(detail={"disk_usage": used}), limit)
        assert checks_of(target).get("disk") is ok

    @pytest.mark.parametrize(
        ("action", "phase", "has_work", "resumed"),
        [
            ("would_trigger", None, True, False),
            ("would_join", None, True, False),
            ("skipped", None, False, False),
            ("refused", None, False, False),
            ("skipped", "lock", True, False),
            ("skipped", "backup", True, False),
            ("skipped", "sync", True, True),
            ("skipped", "verify", True, True),
            ("skipped", "rollback", True, True),
        ],
    )
    def test_what_there_is_to_do(self, action: str, phase: str | None, has_work: bool, resumed: bool) -> None:
        target = target_of(plan=TargetPlan(action, ""), resumed=ResumedFrom("p-0", phase, BEGIN) if phase else None)
        assert (target.has_work, target.is_resumed) == (has_work, resumed)
        assert state_of().with_target(target).starts_something == (has_work and not resumed)
        target = target.with_check("credentials", False, "no").with_check("disk", None, "not known")
        assert state_of().with_target(target).refusals == (() if resumed else (f"{target.name}: credentials: no",))

    def test_one_target_by_two_names(self) -> None:
        state = state_of(settings_of(4))
        same, other = key_of(record(), "serveravatar", "https://a/"), TargetKey("serveravatar", "https://a/", "5/15/89")
        for target, key in zip(state.targets, (same, other, same, None), strict=True):
            state = state.with_target(dataclasses.replace(target, key=key))
        assert reject_duplicates(state).refusals == ("shop-2: entry: it is the same target as shop-0. Leave one of them out",)
        assert state.refusals == ()

    def test_the_key_is_made_of_ids_where_there_are_any(self) -> None:
        key = key_of(record(), "serveravatar", "https://a/")
        assert key.to_json() == {"provider": "serveravatar", "address": "https://a/", "target": "5/15/88"}
        assert key_of(record(detail={}), "plm", "").target == "shop"


def test_no_staging_area_is_looked_for_where_there_is_none() -> None:
    target = with_plan(target_of(provider="plm"), result(detail={}), 95)
    assert "staging" not in checks_of(target)


class TestDigest:
    @staticmethod
    def digest(settings: PromotionSettings | None = None, action: str = "would_trigger", **state: Any) -> str:
        settings = settings or settings_of(2)
        known = dataclasses.replace(state_of(settings), **state)
        for number, target in enumerate(known.targets):
            planned = with_plan(target, result(action), 95)
            known = known.with_target(
                dataclasses.replace(planned, key=TargetKey(target.provider, "https://a/", f"5/15/{number}"))
            )
        return digest_of(known, settings)

    def test_it_does_not_move_by_itself(self) -> None:
        assert self.digest() == self.digest()
        assert len(self.digest()) == 16
        others = {
            "run": "p-2",
            "started_at": "2027-01-01T00:00:00Z",
            "check_mode": True,
            "actor": Actor("a", "b", "c"),
            "warnings": ("x",),
        }
        assert self.digest(**others) == self.digest()

    def test_secrets_are_not_in_it(self) -> None:
        settings = settings_of(2)
        for target in settings.targets:
            target.options["api_token"] = "another"
            target.verify[0]["request_headers"] = {"Authorization": "another"}
            target.verify[0]["url_password"] = "another"
            target.verify[0]["url"] = str(target.verify[0]["url"]).replace("//", "//eve:another@")
        assert self.digest(settings) == self.digest()

    def test_readings_are_not_in_it(self) -> None:
        settings = settings_of()
        digests = set()
        for used in (41.0, 42.0):
            target = with_plan(state_of(settings).targets[0], result(reason=f"{used}", detail={"disk_usage": used}), 95)
            digests.add(digest_of(state_of(settings).with_target(target), settings))
        assert len(digests) == 1

    def test_it_changes_with_what_is_done(self) -> None:
        digests = [
            self.digest(),
            self.digest(action="would_join"),
            self.digest(action="skipped"),
            self.digest(release="2026.12"),
            self.digest(release=None),
            self.digest(settings_of(1)),
            self.digest(settings_of(3)),
            self.digest(settings_of(2, serial=["100%"])),
            self.digest(settings_of(2, backup="required")),
            self.digest(settings_of(2, rollback="never")),
        ]
        probes = settings_of(2)
        probes.targets[0].verify[0]["url"] = "https://elsewhere.example.com/"
        backups = settings_of(2)
        backups.targets[0].backup.clear()
        weaker = settings_of(2)
        weaker.targets[0].verify[0]["status"] = [200, 500]
        digests += [self.digest(probes), self.digest(backups), self.digest(weaker)]
        for items in (["/site/one.xml"], ["/site/two.xml"]):
            options = {"site": "mysite", "target": "live", "items": items}
            digests.append(self.digest(read({"targets": [{"provider": "crafter_publish", "options": options}]})))
        assert len(set(digests)) == len(digests)
