# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases and names that YAML reads as dates: refused as identities, in modules and roles, and text everywhere else."""

from __future__ import annotations

import datetime as dt
import types
import typing as t

import pytest

from ansible_collections.lockstep.sync.plugins.action.vinyldns_zone_sync import ActionModule
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._core.options import text_of
from ansible_collections.lockstep.sync.plugins.plugin_utils._actions.role_variables import evaluate_role_variables
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.settings import read as promotion
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation.settings import read as reconciliation

DAY = dt.date(2026, 10, 1)
#: two texts of one moment, which differ from the text that it has as a value
MOMENT = dt.datetime(2026, 10, 1, 10, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize("value", [DAY, MOMENT])
@pytest.mark.parametrize("whole_numbers", [False, True])
def test_a_date_is_no_name(value: dt.date, whole_numbers: bool) -> None:
    with pytest.raises(SyncError, match=f"option release: '{value}' is a date and not text".replace("+", "[+]")) as caught:
        text_of("release", value, whole_numbers)
    assert "in quotes" in caught.value.hint


class Task(ActionModule):
    """A task with these options, over a connection that is not local, so that the module would get text."""

    def __init__(self, **options: object) -> None:
        self.modules = 0
        self._connection = types.SimpleNamespace(transport="ssh", become=None)
        self._task = types.SimpleNamespace(
            args=options, async_val=0, delegate_to=None, check_mode=False, diff=False, no_log=True, environment=[]
        )

    def _compute_environment_string(self, raw_environment_out: object = None) -> str:
        return ""

    def _execute_module(self, **dummy: object) -> dict[str, object]:
        self.modules += 1
        return {}


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., tuple[dict[str, t.Any], int]]:
    monkeypatch.setattr("ansible.plugins.action.ActionBase.run", lambda self, tmp=None, task_vars=None: {})
    login = {"api_url": "http://127.0.0.1:9", "access_key": "key", "secret_key": "secret"}

    def run(**options: object) -> tuple[dict[str, t.Any], int]:
        task = Task(**login, **options)
        return task.run(task_vars={}), task.modules

    return run


@pytest.mark.parametrize("options", [{"zones": "a.example.", "release": DAY}, {"zones": ["a.", MOMENT]}, {"zone": DAY}], ids=str)
def test_a_module_is_not_given_a_date_as_text(
    ran: t.Callable[..., tuple[dict[str, t.Any], int]], options: dict[str, object]
) -> None:
    result, modules = ran(**options)
    assert (result["failed"], result["failure"]["code"], modules) == (True, "invalid_option", 0)
    assert "is a date and not text. Put the value in quotes" in result["msg"]
    assert result["syncs"] == [] and result["summary"]["requests"] == 0


def test_other_tasks_are_run_where_they_belong(ran: t.Callable[..., tuple[dict[str, t.Any], int]]) -> None:
    assert ran(zones="a.example.", release="2026-10-01") == ({}, 1)


class Caller:
    """An action plugin of a role whose variables have no templates."""

    _templar = types.SimpleNamespace(template=lambda value: value)


def given(**variables: object) -> dict[str, object]:
    names = {f"my_{name}": value for name, value in variables.items()}
    return dict(evaluate_role_variables(Caller(), names, "my_", variables).values)


TARGET = {"provider": "plm", "options": {"api_url": "https://m.example.com"}}


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"release": DAY, "targets": [TARGET]}, "staging_promotion_release"),
        ({"release": MOMENT, "targets": [TARGET]}, "staging_promotion_release"),
        ({"targets": [{**TARGET, "name": DAY}]}, "staging_promotion_targets[0].name"),
    ],
    ids=str,
)
def test_a_promotion_refuses_a_date_as_a_name(variables: dict[str, object], name: str) -> None:
    with pytest.raises(SyncError) as caught:
        promotion(given(**variables), lambda module, options: options)
    assert caught.value.message.startswith(f"option {name}: ") and "is a date and not text" in caught.value.message


def test_a_reconciliation_refuses_a_date_as_a_name() -> None:
    with pytest.raises(SyncError, match=r"dns_reconciliation_zones\[0\].* is a date and not text"):
        reconciliation(given(zones=[DAY]))


def test_dates_elsewhere_are_text() -> None:
    windows = {"deny": [{"start": DAY, "end": dt.date(2026, 10, 3)}]}
    target = {**TARGET, "verify": [{"url": "https://m.example.com", "json": [{"path": "day", "equals": DAY}]}]}
    settings = promotion(given(targets=[target], windows=windows, override_reason=DAY), lambda module, options: options)
    assert settings.override_reason == "2026-10-01"
    assert settings.windows == {"deny": [{"start": "2026-10-01", "end": "2026-10-03"}]}
    assert settings.targets[0].verify[0]["json"] == [{"path": "day", "equals": "2026-10-01"}]
