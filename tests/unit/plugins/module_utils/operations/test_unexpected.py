# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An exception that no code foresees is an internal error of its target."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import Options
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel
from ansible_collections.lockstep.sync.plugins.module_utils._lifecycle.provider import Observation, Services, Target
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import ALL, Lab, column, only
from tests.unit.plugins.support.mirrors import TOKEN, dumps


class TestUnexpected:
    """A provider that does not understand what it sees."""

    @pytest.mark.parametrize(
        "exc",
        [
            KeyError("id"),
            TypeError("int"),
            ValueError("x"),
            AttributeError("x"),
            IndexError("x"),
            RuntimeError("x"),
            OSError(5, "x"),
            OverflowError("x"),
            RecursionError("x"),
            AssertionError("x"),
        ],
        ids=lambda exc: type(exc).__name__,
    )
    def test_an_exception_is_an_internal_error_of_that_target_alone(self, lab: Lab, exc: Exception) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                if target.name == "eight":
                    raise exc
                return super().observe(target, channel)

        result = lab.run(Surprised, mirrors=ALL)
        assert column(result, "state") == ["succeeded", "not_started", "succeeded"]
        assert result["syncs"][1]["failure"]["code"] == "internal_error"
        assert type(exc).__name__ in result["syncs"][1]["failure"]["message"]
        assert "Traceback" not in dumps(result)

    def test_an_exception_before_there_are_targets_fails_the_task(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def __init__(self, options: Options, services: Services) -> None:
                raise RuntimeError("no such luck")

        result = lab.run(Surprised, report_path=str(lab.report_path))
        assert (result["failed"], result["failure"]["code"], result["syncs"]) == (True, "internal_error", [])
        assert lab.report["failed"] is True
        assert "RuntimeError: no such luck" in lab.report["failure"]["traceback"]
        assert "Traceback" not in dumps(result)

    def test_the_traceback_is_in_the_report_alone_and_the_message_says_where(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise KeyError(f"revision of {self.options['token']}")

        result = lab.run(Surprised, report_path=str(lab.report_path))
        failure = only(result)["failure"]
        assert set(failure) == {"code", "message", "http_status", "hint"}
        assert failure["message"].startswith("internal error in lockstep.sync (KeyError: ")
        assert "test_unexpected.py line " in failure["message"]
        assert failure["hint"].endswith(f"The traceback is in {lab.report_path}.")
        assert failure["message"] in result["msg"]
        reported = only(lab.report)["failure"]
        assert "in observe" in reported.pop("traceback")
        assert reported == failure
        assert TOKEN not in lab.report_path.read_text() + dumps(result)

    def test_without_a_report_the_message_says_how_to_get_the_traceback(self, lab: Lab) -> None:
        class Surprised(Fifth):
            def observe(self, target: Target, channel: Channel) -> Observation:
                raise KeyError("revision")

        assert "set report_path" in only(lab.run(Surprised))["failure"]["hint"]
