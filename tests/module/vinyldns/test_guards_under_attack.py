# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attacks on the guards in ``tests/reliability``: the server sees no sync of the zone that is attacked."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Repeats
from tests.reliability.guards import ATTACKS, Attack, Mode, modes, run, view
from tests.reliability.lab import HOSTS, NEW, Lab
from tests.simulator.client import Simulator

#: in `make test`, one attack of each kind
SHORT = [(attack, modes(attack)[0]) for attack in {attack.kind: attack for attack in ATTACKS}.values()]


def check(attack: Attack, mode: Mode, simulator: Simulator, folder: Path) -> None:
    found = run(attack, mode, simulator, folder)
    assert (found.syncs, found.lost) == (0, 0), found
    assert found.code in attack.codes or (mode == "check" and attack.kind == "last look"), found
    if mode == "bulk" and "view" not in attack.name:
        assert found.others == 1, found


@pytest.mark.parametrize(("attack", "mode"), SHORT, ids=str)
def test_the_zone_is_not_synced(attack: Attack, mode: Mode, simulator: Simulator, tmp_path: Path) -> None:
    check(attack, mode, simulator, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_the_zone_is_not_synced_in_other_ways_either(
    attack: Attack, simulator: Simulator, tmp_path: Path, repeats: Repeats
) -> None:
    """In one of them, or in all with ``--soak``."""
    ways = modes(attack)
    number = ATTACKS.index(attack)
    for mode in ways[: repeats(0, 0, len(ways))] or (ways[number % len(ways)],):
        (tmp_path / mode).mkdir()
        check(attack, mode, simulator, tmp_path / mode)


@pytest.mark.long
@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.control is not None], ids=str)
def test_without_what_refuses_it_the_zone_is_synced(attack: Attack, simulator: Simulator, tmp_path: Path) -> None:
    assert run(attack, "alone", simulator, tmp_path, control=True).syncs == 1


def test_a_view_that_looks_well_shows_afterwards(simulator: Simulator, tmp_path: Path) -> None:
    """What no guard can see: VinylDNS transfers another view than the one that the plan is of."""
    with contextlib.ExitStack() as stack:
        lab = Lab(simulator, tmp_path, stack)
        options = view([*HOSTS, NEW])(lab)
        lab.ruin()
        result = lab.run(**options)
        assert lab.syncs() == 1
    check_difference(result)


def test_a_backend_that_changes_when_the_trigger_arrives_shows_afterwards(simulator: Simulator, tmp_path: Path) -> None:
    """What no guard can see, either: it happens after the last look."""
    with contextlib.ExitStack() as stack:
        lab = Lab(simulator, tmp_path, stack)
        lab.add(dns=[*HOSTS, NEW])
        proxy = lab.proxy()
        looks: list[int] = []

        def after(query: bytes, answer: list[bytes]) -> list[bytes]:
            looks.append(len(looks))
            if len(looks) == 1:
                lab.ruin()
            return answer

        proxy.changes["SOA"] = after
        result = lab.run(backend=lab.by(proxy))
        assert lab.syncs() == 1 and looks
    check_difference(result)


def check_difference(result: dict[str, Any]) -> None:
    (record,) = result["syncs"]
    assert (record["detail"]["drift"]["deletes"], record["detail"]["effect"]["deletes"]) == (0, 15)
    assert record["detail"]["fidelity"] == "differs"
    warning = json.dumps(result["warnings"])
    assert "did not do exactly what was planned" in warning and ", and 15 more" in warning
