# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Approval: what counts as a yes, at a terminal and by the digest of the plan."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ansible.errors import AnsibleError, AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion import approval_decision as _approval
from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.approval_decision import ApprovalDecision, ask, check_token
from tests.terminal import Terminal

DIGEST = "3f09ac11" * 8


class Screen:
    """Stands in for ansible's Display.

    :param answer: what is typed, or what is raised.
    :param after: seconds until then.
    """

    def __init__(self, answer: bytes | BaseException, after: float = 0.5) -> None:
        self._answer = answer
        self._after = after
        self.time = 100.0
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def prompt_until(self, msg: str, **options: Any) -> bytes:
        self.asked.append((msg, options))
        self.time += self._after
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer

    def ask(self, timeout: float = 60.0) -> ApprovalDecision:
        return ask(self, "promote it?", timeout, lambda: self.time)


class TestAsking:
    @pytest.fixture(autouse=True)
    def _account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(_approval, "account", lambda: "alice")

    @pytest.mark.parametrize("typed", [b"yes", b"YES", b"  Yes\t", b"yes\r"])
    def test_yes_approves(self, typed: bytes) -> None:
        assert Screen(typed).ask() == ApprovalDecision(True, "approved at the terminal by alice", "alice")

    @pytest.mark.parametrize("typed", [b"y", b"no", b"yes!", b"y e s", b"ja", b"yesyes", b"true", b"1", b"\xffyes", b"yes\x00"])
    def test_anything_else_does_not(self, typed: bytes) -> None:
        answer = Screen(typed).ask()
        assert (answer.approved, answer.who) == (False, None)
        assert answer.reason.startswith("not approved: the answer was '")
        assert answer.reason.endswith("To approve, run it again and answer yes")

    @pytest.mark.parametrize("typed", [b"", b"  "])
    def test_nothing_does_not_either(self, typed: bytes) -> None:
        assert "the answer was nothing" in Screen(typed).ask().reason

    def test_a_long_answer_is_cut(self) -> None:
        assert len(Screen(b"x" * 5000).ask().reason) < 150

    @given(st.binary(max_size=12))
    def test_only_yes(self, typed: bytes) -> None:
        assert Screen(typed).ask().approved == (typed.decode("utf-8", "replace").strip().lower() == "yes")

    def test_how_it_asks(self) -> None:
        screen = Screen(b"yes")
        screen.ask(timeout=60)
        ((text, options),) = screen.asked
        assert text.startswith("promote it?\nType yes and press Enter to approve.")
        assert text.endswith("no answer within 60 s.")
        assert options == {"private": False, "seconds": 60, "complete_input": (b"\r", b"\n")}

    @pytest.mark.parametrize(("timeout", "seconds"), [(0, 1), (-5, 1), (0.2, 1), (1.5, 2)])
    def test_whole_seconds_and_at_least_one(self, timeout: float, seconds: int) -> None:
        screen = Screen(b"yes")
        assert screen.ask(timeout).approved
        assert screen.asked[0][1]["seconds"] == seconds

    @pytest.mark.parametrize("after", [60.0, 60.1])
    def test_yes_without_enter_is_none(self, after: float) -> None:
        """At the end of the time, what was typed so far comes back as if it were complete."""
        answer = Screen(b"yes", after).ask()
        assert not answer.approved
        assert answer.reason.startswith("not approved: no answer within 60 s.")
        assert "staging_promotion_approval: token" in answer.reason

    def test_just_in_time(self) -> None:
        assert Screen(b"yes", 59.9).ask().approved

    @pytest.mark.parametrize("raised", [AnsiblePromptInterrupt("user interrupt"), KeyboardInterrupt()])
    def test_interrupted(self, raised: BaseException) -> None:
        answer = Screen(raised).ask()
        assert not answer.approved
        assert "Ctrl+C" in answer.reason

    def test_without_a_terminal(self) -> None:
        answer = Screen(AnsiblePromptNoninteractive("stdin is not interactive")).ask()
        assert not answer.approved
        assert "there is no terminal" in answer.reason
        assert "use staging_promotion_approval: token, or an approval node in the workflow" in answer.reason

    def test_trouble_of_the_main_process(self) -> None:
        answer = Screen(AnsibleError("no stdin at all")).ask()
        assert not answer.approved
        assert "no stdin at all" in answer.reason


class TestAccount:
    def test_of_the_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SUDO_USER", raising=False)
        assert _approval.account() == _approval.pwd.getpwuid(os.getuid()).pw_name

    def test_behind_sudo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SUDO_USER", "bob")
        assert _approval.account() == "bob"

    def test_without_a_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("SUDO_USER", raising=False)
        monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
        assert _approval.account() == "uid 4000000000"


class TestToken:
    @pytest.mark.parametrize("given", [DIGEST, f" {DIGEST}\n"])
    def test_the_digest_approves(self, given: str) -> None:
        assert check_token(given, DIGEST) == ApprovalDecision(True, f"approved by the digest of the plan, {DIGEST}")

    @pytest.mark.parametrize("given", [None, "", "  "])
    def test_none_says_what_to_pass(self, given: str | None) -> None:
        answer = check_token(given, DIGEST)
        assert not answer.approved
        assert answer.reason.endswith(f"pass staging_promotion_approve: {DIGEST}")

    @pytest.mark.parametrize("given", ["hunter2", DIGEST[:-1], DIGEST + "0", DIGEST.upper(), "ä\udcff"])
    def test_another_is_refused_and_not_repeated(self, given: str) -> None:
        answer = check_token(given, DIGEST)
        assert not answer.approved
        assert "not the digest of this plan" in answer.reason
        assert answer.reason.endswith(f"pass staging_promotion_approve: {DIGEST}")
        assert given not in answer.reason.replace(DIGEST, "")

    def test_no_plan_no_approval(self) -> None:
        for token in ("", "x", None):
            assert check_token(token, "") == ApprovalDecision(False, "not approved: there is no plan to approve")


ACTION = """\
import json

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.approval_decision import ask


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        answer = ask(Display(), self._task.args["text"], self._task.args["timeout"])
        with open(self._task.args["file"], "a", encoding="utf-8") as file:
            print(json.dumps([answer.approved, answer.reason, answer.who]), file=file)
        return {"changed": False}
"""

#: name of the question, seconds for the answer, what is typed
QUESTIONS = [("first", 30, b"yes\r"), ("second", 30, b"no\r"), ("third", 30, b"\x03"), ("fourth", 1, b"yes")]


def answers_of(play: pathlib.Path) -> list[Any]:
    return [json.loads(line) for line in (play / "answers").read_text().splitlines()]


class TestRealTerminal:
    @pytest.fixture
    def play(self, tmp_path: pathlib.Path) -> pathlib.Path:
        (tmp_path / "action_plugins").mkdir()
        (tmp_path / "action_plugins" / "asked.py").write_text(ACTION)
        tasks: list[dict[str, Any]] = []
        for name, timeout, _keys in QUESTIONS:
            tasks.append({"asked": {"text": f"the {name} plan", "timeout": timeout, "file": str(tmp_path / "answers")}})
        # JSON is YAML too
        (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        return tmp_path

    @pytest.fixture
    def environment(self, play: pathlib.Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SUDO_"))}
        return {
            **kept,
            "HOME": str(play),
            "ANSIBLE_HOME": str(play / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "TERM": "dumb",
        }

    @pytest.fixture
    def command(self) -> list[str]:
        return [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), "-c", "local", "play.yml"]

    @pytest.fixture
    def terminal(self, command: list[str], play: pathlib.Path, environment: dict[str, str]) -> Iterator[Terminal]:
        terminal = Terminal(command, play, environment)
        yield terminal
        terminal.end()

    def test_answers(self, terminal: Terminal, play: pathlib.Path) -> None:
        for name, _timeout, keys in QUESTIONS:
            terminal.answer(f"the {name} plan", keys)
        assert terminal.close() == 0, terminal.screen
        first, second, third, fourth = answers_of(play)
        who = _approval.pwd.getpwuid(os.getuid()).pw_name
        assert first == [True, f"approved at the terminal by {who}", who]
        assert second[:2] == [False, "not approved: the answer was 'no'. To approve, run it again and answer yes"]
        assert third[0] is False and "Ctrl+C" in third[1]
        assert fourth[0] is False and "no answer within 1 s" in fourth[1]

    def test_no_terminal(self, command: list[str], play: pathlib.Path, environment: dict[str, str]) -> None:
        done = subprocess.run(
            command, cwd=play, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        answers = answers_of(play)
        assert [approved for approved, _reason, _who in answers] == [False] * len(QUESTIONS)
        assert all("there is no terminal to ask at" in reason for _approved, reason, _who in answers)
