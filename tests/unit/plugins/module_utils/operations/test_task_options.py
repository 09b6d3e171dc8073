# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of a task that are refused before any request, and jobs whose ledger is lost."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import run_sync, sync_spec
from tests.unit.plugins.support.fifth import Fifth
from tests.unit.plugins.support.lab import Lab, only, validated
from tests.unit.plugins.support.mirrors import dumps


class TestInvalidOptions:
    @pytest.mark.parametrize(
        "options",
        [
            {"wait_timeout": 1e12},
            {"poll_min_interval": 10.0},
            {"api_url": "ftp://x"},
            {"mirrors": []},
            {"mirrors": ["seven", " "]},
            {"ledger": "/dev/null/ledger"},
        ],
    )
    def test_nothing_is_sent_and_the_option_is_named(self, lab: Lab, options: dict[str, t.Any]) -> None:
        result = lab.run(**options)
        assert (result["failed"], result["failure"]["code"]) == (True, "invalid_option")
        assert (result["changed"], result["syncs"]) == (False, [])
        assert f"option {next(iter(options))}" in result["msg"]
        assert result["failure"]["hint"]
        assert lab.web.log == []

    def test_blanks_around_names_do_no_harm(self, lab: Lab) -> None:
        assert only(lab.run(mirrors=[" seven "]))["state"] == "succeeded"


@pytest.mark.parametrize(
    ("option", "value"),
    [("release", 2026.1), ("release", 2026), ("mirrors", 4.1), ("mirror", ["seven", False]), ("mirrors", [None])],
)
def test_a_release_or_target_that_is_not_text_is_refused_before_any_request(lab: Lab, option: str, value: t.Any) -> None:
    options = {**lab.options(report_path=str(lab.report_path)), option: value}
    if option == "mirror":
        del options["mirrors"]
    context = lab.new_context(given=options)
    result = run_sync(Fifth, validated(sync_spec(Fifth), options), context)
    assert (result["failed"], result["failure"]["code"], result["syncs"]) == (True, "invalid_option", [])
    assert result["msg"].startswith(f"option {option}: ")
    assert lab.report["failure"] == result["failure"]
    assert lab.web.log == []


def test_a_whole_number_is_the_id_that_it_is_written_as(lab: Lab) -> None:
    assert only(lab.run(mirrors=[7], release="2026.10"))["state"] == "succeeded"


class TestJobs:
    """A job of AWX gets a home directory of its own, and so a ledger of its own."""

    @pytest.mark.parametrize("names", [("AWX_PRIVATE_DATA_DIR",), ("JOB_ID", "AWX_HOST")])
    def test_a_release_without_a_named_ledger_warns(
        self, names: tuple[str, ...], lab: Lab, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in names:
            monkeypatch.setenv(name, "x")
        assert "LOCKSTEP_LEDGER" in dumps(lab.run(release="1", ledger_path=None)["warnings"])
        assert lab.run(release="1")["warnings"] == []
        assert lab.run(force=True, ledger_path=None)["warnings"] == []

    def test_elsewhere_the_default_ledger_stays(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JOB_ID", "7")
        assert lab.run(release="1", ledger_path=None)["warnings"] == []
