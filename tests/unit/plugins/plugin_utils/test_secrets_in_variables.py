# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A variable of a role that is refused shows no secret in it, whatever is wrong: it is not known yet what is secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.plugin_utils._notifications.notify import check
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import settings as promotion
from ansible_collections.lockstep.sync.plugins.plugin_utils._reconciliation import settings as reconciliation

CANARY = "Zq7-canary"
HOOK = f"https://hooks.example/{CANARY}"
ADDRESS = f"postgresql://u:{CANARY}@h/x"
TARGET = {"provider": "serveravatar", "options": {"api_token": CANARY, "organization": "5", "application": "x"}}
ZONES: dict[str, Any] = {"secret_key": CANARY, "api_url": "https://h", "access_key": "a"}
BACKEND = {"server": "h", "tsig_name": "k.", "tsig_secret": CANARY}


def shapes(value: Any) -> Iterator[Any]:
    """The value, and what people may write instead of it."""
    text = value if isinstance(value, str) else json.dumps(value)
    yield from (value, [value], [[value]], {"x": value}, [{"x": value}], text, f"{{{text}", f"a: {text}\nb", f"a={text}, {{{{")


def within(value: Any) -> Iterator[Any]:
    """The value with each of its members in each shape."""
    yield from shapes(value)
    if isinstance(value, Mapping):
        for name, member in value.items():
            for shape in within(member):
                yield {**value, name: shape}


PROMOTIONS = [
    *({"targets": [target]} for target in within(TARGET)),
    *({"targets": shape} for shape in shapes([TARGET])),
    {"targets": [{**TARGET, "options": {**TARGET["options"], "ledger": ADDRESS}}]},  # type: ignore[dict-item]
    *(
        {"targets": [{**TARGET, "verify": [{"url": shape, "url_password": CANARY}]}]}
        for shape in shapes(f"https://a:{CANARY}@h/")
    ),
    *({"targets": [{**TARGET, "backup": shape}]} for shape in shapes({"api_token": CANARY})),
    *({"targets": [TARGET], "ledger": shape} for shape in (ADDRESS, f"postgres://u:{CANARY}@h", f"mysql://u:{CANARY}@h/x")),
    *({"targets": [TARGET], name: {"token": CANARY}} for name in ("approve", "release", "soak", "serial", "backup", "windows")),
]
RECONCILIATIONS = [
    *({**ZONES, "backend": shape} for shape in within(BACKEND)),
    *({**ZONES, "backends": {"a.": shape}} for shape in within(BACKEND)),
    *({**ZONES, "backends": shape} for shape in shapes({"a.": BACKEND})),
    *({**ZONES, "secret_key": shape} for shape in shapes(CANARY)),
    *({**ZONES, "ledger": shape} for shape in (ADDRESS, f"mysql://u:{CANARY}@h/x")),
    *({**ZONES, name: {"token": CANARY}} for name in ("zones", "approve", "guard", "report_path", "batch_max_delete_percent")),
]
HOOKS = {"url": HOOK, "headers": {"X-Key": CANARY}, "format": "json"}
MAIL = {"host": "mx.example", "to": "a@b.example", "from": "c@d.example", "username": "joe", "password": CANARY}
NOTIFICATIONS = [
    *({"webhook": shape} for shape in within(HOOKS)),
    *({"mail": shape} for shape in within(MAIL)),
    *shapes({"webhook": HOOKS, "mail": MAIL}),
]
READS: list[tuple[Callable[[Any], object], list[Any]]] = [
    (promotion.read, PROMOTIONS),
    (reconciliation.read, RECONCILIATIONS),
    (check, NOTIFICATIONS),
]


@pytest.mark.parametrize(("read", "cases"), READS, ids=["promotion", "reconciliation", "notifications"])
def test_a_refusal_repeats_no_secret(read: Callable[[Any], object], cases: list[Any]) -> None:
    shown, refused = [], 0
    for case in cases:
        try:
            read(case)
        except SyncError as error:
            refused += 1
            if CANARY in f"{error.message} {error.hint}":
                shown.append((case, error.message, error.hint))
    assert refused > len(cases) // 3
    assert not shown, f"{len(shown)} of {refused}: " + "\n".join(map(str, shown))
