# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approval by digest or at the terminal, and notifications, without a secret in anything that is shown."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Any, Self

from .playbook import SHOP, Playbook, Played, Server


class Receiver:
    """A server that receives the notifications of promotions."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append({"path": self.path, "key": self.headers["X-Key"], **json.loads(body)})
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


#: parts of secrets that users give, by where they give them
CANARIES = {name: f"canary-{name}-8fd1" for name in ("header", "query", "path", "key")}
LOUD = {"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "1"}


def target_with_secrets(server: Server) -> dict[str, Any]:
    probe = {
        "url": f"{server.url}/sites/{SHOP}/health?token={CANARIES['query']}",
        "request_headers": {"Authorization": f"Bearer {CANARIES['header']}"},
    }
    return {**server.target(), "verify": [probe]}


def secrets_in(texts: dict[str, str], token: str) -> list[tuple[str, str]]:
    """Which text contains which secret."""
    secrets = {**CANARIES, "token": token}
    return [(where, name) for where, text in texts.items() for name, secret in secrets.items() if secret in text]


def check_refused_and_planned(server: Server, receiver: Receiver, looked: Played, guessed: Played) -> None:
    """Nothing was sent, and only the refusal was notified."""
    assert (looked.code, looked.verdict, looked.report["check_mode"]) == (0, "planned", True), looked.output
    assert (guessed.code, guessed.verdict) == (2, "refused"), guessed.output
    assert server.sent() == []
    assert [notification["verdict"] for notification in receiver.received] == ["refused"]


def check_done(server: Server, receiver: Receiver, done: Played) -> None:
    """It was promoted once, and that was notified once."""
    assert (done.code, done.verdict) == (0, "succeeded"), done.output
    assert len(server.sent()) == 2
    notification = receiver.received[-1]
    assert len(receiver.received) == 2
    assert (notification["verdict"], notification["run"]) == ("succeeded", done.report["run"])
    assert (notification["path"], notification["key"]) == (f"/hooks/{CANARIES['path']}", CANARIES["key"])


def check_unchanged(receiver: Receiver, unchanged: Played, alone: Played) -> None:
    """What is done already is not notified, and a receiver that is away is a warning."""
    assert (unchanged.code, unchanged.verdict, unchanged.report["changed"]) == (0, "succeeded", False), unchanged.output
    assert len(receiver.received) == 2
    assert (alone.code, alone.verdict) == (0, "succeeded"), alone.output
    assert "[WARNING]: webhook: " in alone.one_line
    assert ("notify", "failed") in alone.phases()


def check_stats(done: Played, looked: Played, report: Path) -> None:
    """What is passed on to workflows."""
    stats = done.stats
    assert {name: stats[name] for name in ("verdict", "run", "release", "digest")} == {
        "verdict": "succeeded",
        "run": done.report["run"],
        "release": "r2",
        "digest": looked.report["digest"],
    }
    assert stats["summary"]["succeeded"] == 1
    assert stats["report_path"] == str(report)


def test_approved_by_its_digest_notified_and_without_a_secret(server: Server, playbook: Playbook, ledger: Path) -> None:
    with Receiver() as receiver:
        webhook = {"url": f"{receiver.url}/hooks/{CANARIES['path']}", "headers": {"X-Key": CANARIES["key"]}}
        variables = {"targets": [target_with_secrets(server)], "approval": "token", "notify": {"webhook": webhook}}
        dead = {"on": "always", "webhook": {**webhook, "url": f"http://127.0.0.1:1/hooks/{CANARIES['path']}"}}

        looking = playbook.start("--check", "-vvvv", environment=LOUD, **variables)
        guessing = playbook.start("-vvvv", approve="0123456789abcdef", environment=LOUD, **variables)
        looked, guessed = looking.finish(), guessing.finish()
        check_refused_and_planned(server, receiver, looked, guessed)

        done = playbook("-vvvv", approve=looked.stats["digest"], environment=LOUD, **variables)
        check_done(server, receiver, done)

        same = playbook.start(**variables)
        unheard = playbook.start("-vvvv", **{**variables, "notify": dead})
        unchanged, alone = same.finish(), unheard.finish()
        check_unchanged(receiver, unchanged, alone)
    assert len(server.sent()) == 2
    check_stats(done, looked, playbook.started[2].report)

    every = (looked, guessed, done, unchanged, alone)
    left = {f"run {number}": played.output + played.files for number, played in enumerate(every)}
    left["ledger"] = "".join(path.read_text("latin-1") for path in ledger.parent.iterdir())
    # its output is long, arguments of tasks among it
    assert "moment" in done.output or "step=" in done.output or '"step"' in done.output
    assert secrets_in(left, server.token) == []


def test_asked_at_the_terminal(server: Server, playbook: Playbook) -> None:
    terminal, report = playbook.on_terminal(targets=[server.target()], approval="prompt")
    try:
        terminal.answer("Promote r2, plan ", b"yes\r")
        assert terminal.close() == 0, terminal.screen
    finally:
        terminal.end()
    content = json.loads(report.read_text())
    assert content["verdict"] == "succeeded"
    (approval,) = (phase for phase in content["phases"] if phase["phase"] == "approval")
    assert (approval["state"], approval["reason"].startswith("approved at the terminal by ")) == ("passed", True)
    assert server.syncs(SHOP) == 1
