# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""What somebody has to do after a promotion."""

from __future__ import annotations

import dataclasses
import typing as t

from .fields import Fields

#: variable of role staging_promotion that lifts a hold; its value is the reason
LIFT_HOLD = "staging_promotion_lift_hold"


@dataclasses.dataclass(frozen=True)
class Advice:
    """One thing to do.

    :param target: the targets that it is about; may be empty.
    :param code: YAML or options of a command line; may be empty.
    """

    target: str
    text: str
    code: str = ""


def advice_of(report: Fields) -> t.Iterator[Advice]:
    for target in report.children("targets"):
        name, failure = target.text("name"), target.child("failure")
        if target.text("verdict") in ("failed", "refused") and failure.text("hint"):
            yield Advice(name, failure.text("hint"))
        if target.text("verdict") == "unknown":
            yield _unknown(name, target.child("sync"))
        text = _rollback(target)
        if text:
            yield Advice(name, text)
    held = report.texts("held")
    if held:
        text = (
            "This release is held back, so that a schedule does not promote it again. Another release may be promoted at any"
            " time. When the cause is fixed, lift the hold by giving the reason, which becomes part of the next report:"
        )
        yield Advice(", ".join(held), text, f"-e '{LIFT_HOLD}=\"why it may be promoted now\"'")


def _unknown(name: str, sync: Fields) -> Advice:
    text = (
        "It is not known how the sync ended, or whether it began. Do not start another one. Run the same promotion again:"
        " it finds this run in the ledger, waits for it and continues from there, and triggers nothing twice."
    )
    handle = sync.json("handle")
    if not handle:
        return Advice(name, text)
    return Advice(name, f"{text} To wait for the sync alone:", f"- lockstep.sync.sync_wait:\n    handles:\n      - {handle}")


def _rollback(target: Fields) -> str:
    rollback = target.child("rollback")
    made = rollback.text("backup") or target.child("backup").text("id")
    backup = f"backup {made}" if made else "the last backup"
    if target.text("verdict") == "rollback_failed" or rollback.text("state") == "failed":
        return f"The rollback failed, so production may be broken now. Restore {backup} by hand and check the site."
    if rollback.text("state") == "manual":
        return f"Production has the new content and failed verification. Restore {backup} if it must not stay."
    if rollback.text("state") == "impossible":
        return "Production has the new content, failed verification, and there is no backup to go back to. Fix forward."
    return ""
