# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of inventory plugins that hold, or look like, templates."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from .playbooks import run_to_end

#: no template that could be evaluated
PASSWORD = "hunter2{{x"


class Refusal(BaseHTTPRequestHandler):
    """Answers each request with 401, and keeps what authorizes it."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        self.send_error(401)

    def log_message(self, *args: object) -> None:
        pass


def shown(folder: Path, environment: dict[str, str], options: dict[str, str]) -> str:
    """All that ``ansible-inventory`` prints with such a file."""
    path = folder / "apps.serveravatar.yml"
    path.write_text(json.dumps({"plugin": "lockstep.sync.serveravatar", "organization": "5", "server": "15", **options}))
    strict = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1", "ANSIBLE_NOCOLOR": "1"}
    done = run_to_end("ansible-inventory", ["-vvvv", "-i", str(path), "--list"], {**environment, **strict}, folder)
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def test_a_secret_of_the_environment_is_no_template(environment: dict[str, str], tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), Refusal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        names = {"SERVERAVATAR_API_TOKEN": PASSWORD, "SERVERAVATAR_API_URL": f"http://127.0.0.1:{server.server_port}"}
        text = shown(tmp_path, {**environment, **names}, {})
        server.shutdown()
    assert "auth_failed: " in text and PASSWORD not in text
    assert set(Refusal.seen) == {PASSWORD}


@pytest.mark.parametrize("token", [PASSWORD, "hunter2 {{ nothing_of_that_name }}"], ids=["syntax", "undefined"])
def test_a_secret_that_cannot_be_evaluated_is_not_shown(token: str, environment: dict[str, str], tmp_path: Path) -> None:
    text = shown(tmp_path, environment, {"api_token": token})
    assert "invalid_option: option api_token cannot be evaluated. Correct the template in the file" in text
    assert "hunter2" not in text


def test_why_another_option_cannot_be_evaluated_is_shown(environment: dict[str, str], tmp_path: Path) -> None:
    text = shown(tmp_path, environment, {"api_token": "token", "name_filter": "{{ nothing_of_that_name }}"})
    assert "invalid_option: option name_filter cannot be evaluated: " in text and "'nothing_of_that_name' is undefined" in text
