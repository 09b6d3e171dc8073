# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables without content, as AWX makes them of fields of a credential that were left empty."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.lockstep.sync.plugins.module_utils._core.options import ArgumentSpec, from_env
from ansible_collections.lockstep.sync.plugins.module_utils._operations.sync import sync_spec
from ansible_collections.lockstep.sync.plugins.module_utils._providers.registry import PROVIDERS

SPEC = ArgumentSpec({"url": {"type": "str", "default": "the default", **from_env("FIRST", "SECOND")}})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("one", "two", "one"), ("", "two", "two"), ("", "", "the default"), (None, "", "the default"), (None, None, "the default")],
)
def test_an_empty_variable_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch, first: str | None, second: str | None, expected: str
) -> None:
    for name, value in (("FIRST", first), ("SECOND", second)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert ArgumentSpecValidator(**SPEC.as_kwargs()).validate({}).validated_parameters == {"url": expected}


def test_optional_parts_of_a_login_may_be_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVERAVATAR_API_URL", "")
    monkeypatch.setenv("SERVERAVATAR_API_TOKEN", "secret")
    spec = sync_spec(PROVIDERS["serveravatar"])
    options = {"organization": "o", "server": "s", "applications": ["a"]}
    result = ArgumentSpecValidator(**spec.as_kwargs()).validate(options)
    assert result.error_messages == []
    assert result.validated_parameters["api_url"].startswith("https://")


def test_an_empty_required_part_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVERAVATAR_API_TOKEN", "")
    spec = sync_spec(PROVIDERS["serveravatar"])
    result = ArgumentSpecValidator(**spec.as_kwargs()).validate({"organization": "o", "server": "s", "applications": ["a"]})
    assert "api_token" in str(result.error_messages)
