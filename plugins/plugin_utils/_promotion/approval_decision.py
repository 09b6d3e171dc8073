# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""The decision about an approval: by a person at the terminal, or by the digest of the plan that was looked at."""

from __future__ import annotations

import dataclasses
import hmac
import math
import os
import pwd
import time
import typing as t

from ansible.errors import AnsibleError, AnsiblePromptInterrupt, AnsiblePromptNoninteractive

#: the only answer that approves, in any case
YES = "yes"

_ELSEWHERE = (
    "Without a person at a terminal, as in AWX, use staging_promotion_approval: token, or an approval node in the workflow"
)
_MAX_SHOWN = 40


@dataclasses.dataclass(frozen=True)
class ApprovalDecision:
    """What came of asking.

    :param reason: what was answered, and where it was no, what to do.
    :param who: account of the person who approved; ``None`` where that is not known.
    """

    approved: bool
    reason: str
    who: str | None = None


class Display(t.Protocol):
    """The part of ansible's Display that is used. It works in the processes of tasks too: the main process asks for them."""

    def prompt_until(
        self,
        msg: str,
        private: bool = False,
        seconds: int | None = None,
        interrupt_input: t.Iterable[bytes] | None = None,
        complete_input: t.Iterable[bytes] | None = None,
    ) -> bytes:
        """What was typed up to one of ``complete_input``, or until the time was over."""


def ask(display: Display, text: str, timeout: float, monotonic: t.Callable[[], float] = time.monotonic) -> ApprovalDecision:
    """Ask at the terminal. Everything but a clear yes in time is a no; what was typed before the question does not count.

    :param text: what is to be approved.
    :param timeout: seconds.
    :param monotonic: source of time.
    """
    seconds = max(1, math.ceil(timeout))
    prompt = f"{text}\nType {YES} and press Enter to approve. Anything else refuses, and so does no answer within {seconds} s."
    started = monotonic()
    try:
        typed = display.prompt_until(prompt, private=False, seconds=seconds, complete_input=(b"\r", b"\n"))
    except (AnsiblePromptInterrupt, KeyboardInterrupt):
        return ApprovalDecision(False, f"not approved: interrupted with Ctrl+C. To approve, run it again and answer {YES}")
    except AnsiblePromptNoninteractive:
        return ApprovalDecision(False, f"not approved: there is no terminal to ask at. {_ELSEWHERE}")
    except AnsibleError as exc:
        return ApprovalDecision(False, f"not approved: asking failed ({exc}). {_ELSEWHERE}")
    # without Enter, the answer is what was typed so far: only the time shows that it has not been given
    if monotonic() - started >= seconds:
        return ApprovalDecision(
            False, f"not approved: no answer within {seconds} s. To approve, run it again and answer {YES}. {_ELSEWHERE}"
        )
    answer = typed.decode("utf-8", "replace").strip()
    if answer.lower() == YES:
        who = account()
        return ApprovalDecision(True, f"approved at the terminal by {who}", who)
    # no part of it: should it be a secret, what is left of one that is cut could not be recognised and masked
    shown = "nothing" if not answer else repr(answer) if len(answer) <= _MAX_SHOWN else f"a text of {len(answer)} characters"
    return ApprovalDecision(False, f"not approved: the answer was {shown}. To approve, run it again and answer {YES}")


def check_token(given: str | None, digest: str) -> ApprovalDecision:
    """Compare the digest that was passed in with that of the plan at hand.

    :param given: value of ``staging_promotion_approve``. It is not repeated: it may be anything, even a secret.
    :param digest: of the plan.
    """
    if not digest:
        return ApprovalDecision(False, "not approved: there is no plan to approve")
    token = (given or "").strip()
    if not token:
        return ApprovalDecision(
            False, f"not approved yet. Look at the plan; if it is right, pass staging_promotion_approve: {digest}"
        )
    if hmac.compare_digest(token.encode("utf-8", "surrogateescape"), digest.encode("utf-8", "surrogateescape")):
        return ApprovalDecision(True, f"approved by the digest of the plan, {digest}")
    return ApprovalDecision(
        False,
        "not approved: staging_promotion_approve is not the digest of this plan; what was approved is another one, or has changed"
        f" since. Look at the plan again; if it is right, pass staging_promotion_approve: {digest}",
    )


def account() -> str:
    """Who runs this: the account that sudo was called from, else that of the process."""
    behind_sudo = os.environ.get("SUDO_USER", "").strip()
    if behind_sudo:
        return behind_sudo
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # containers run with ids that have no name
        return f"uid {os.getuid()}"
