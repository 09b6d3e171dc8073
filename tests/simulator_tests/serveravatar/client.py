# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of the ServerAvatar part with the documented headers."""

from __future__ import annotations

from typing import Any

import requests

from tests.simulator.client import Simulator

LONG = 600.0  # a run that does not end by itself within any test
SERVER = "/organizations/5/servers/15"
APP = SERVER + "/applications/88"


class Api:
    """A client with the documented headers."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.url: str = simulator["serveravatar"]["url"]
        self.token: str = simulator["serveravatar"]["api_token"]
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": self.token, "Accept": "application/json", **options.pop("headers", {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        return self._session.request(method, self.url + path, headers=headers, timeout=10, allow_redirects=False, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, body: object) -> requests.Response:
        return self.call("POST", path, json=body)

    def ok(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def status(self, application: str = APP) -> dict[str, Any]:
        found: dict[str, Any] = self.ok(application + "/status")
        return found

    def words(self) -> tuple[int, str, str]:
        answer = self.status()
        return answer["configurationInPercentage"], answer["displayText"], answer["siteMigration"]["status"]

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int = 88) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def site(self, application: int = 88, path: str = "/") -> requests.Response:
        return self._session.get(f"{self.url}/sites/{application}{path}", timeout=10)


def refused(answer: requests.Response, status: int, text: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"message": text})
    assert answer.headers["Content-Type"] == "application/json"


def done(answer: requests.Response, text: str) -> None:
    refused(answer, 200, text)


INSTANT = {
    "provider": "amazon_s3",
    "cloud_storage_provider_id": 7,
    "automatic_backup": False,
    "type": "application",
    "application_id": 88,
    "database_id": 48,
    "name": "before promotion",
    "application_extension": ".tar.gz",
    "database_extension": ".sql.gz",
}
ORG_BACKUPS = "/organizations/5/backups"


def newest(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = max(api.ok(ORG_BACKUPS)["data"], key=lambda row: row["id"])
    return found
