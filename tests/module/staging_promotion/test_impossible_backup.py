# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup that cannot be made, seen before production is overwritten, and a target that is named by a misspelt option."""

from __future__ import annotations

from .stage import Stage

STORAGE = "Offsite S4"


def test_check_mode_warns_of_a_backup_that_cannot_be_made(stage: Stage) -> None:
    play = stage.play(check=True, backup="if_possible", targets=[stage.entry(backup={"storage": STORAGE})])

    assert play.verdict == "planned"
    assert play.target["backup"]["state"] == "none"
    assert "Did you mean" in play.target["backup"]["reason"]
    (warning,) = [text for text in play.warnings if "without a backup" in text]
    assert STORAGE in warning
    assert stage.sent == {}


def test_one_that_can_be_made_is_planned_without_a_warning(stage: Stage) -> None:
    play = stage.play(check=True, backup="if_possible")

    assert play.target["backup"]["state"] == "planned"
    assert play.warnings == []


def test_a_required_one_is_refused(stage: Stage) -> None:
    play = stage.play(backup="required", targets=[stage.entry(backup={"storage": STORAGE})])

    assert (play.verdict, play.failed_checks, stage.sent) == ("refused", ["backup"], {})


def test_a_misspelt_option_is_named_with_the_one_that_was_meant(stage: Stage) -> None:
    entry = stage.entry()
    options = dict(entry["options"])
    options["aplication"] = options.pop(next(name for name in ("application", "applications") if name in options))
    play = stage.play(targets=[{**entry, "options": options}])

    assert play.verdict == "failed"
    where = "staging_promotion_targets[0].options.aplication"
    assert f"option {where} does not exist. Did you mean application?" in play.report["error"]
    assert play.report["error_code"] == "invalid_option"
    assert stage.sent == {}
