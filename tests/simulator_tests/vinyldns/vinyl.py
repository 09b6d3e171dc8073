# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A signing client for the VinylDNS part, as small as can be, and shortcuts to its control routes."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from tests.simulator.client import Simulator, wait_until

MAIN = "example.com."
SCOPE = ("us-east-1", "VinylDNS", "aws4_request")


class Signature(requests.auth.AuthBase):
    """Signs ``host`` and ``x-amz-date`` only.  Expects paths that are encoded once already."""

    def __init__(self, access_key: str, secret_key: str) -> None:
        self._access_key = access_key
        self._secret_key = secret_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = urlsplit(str(request.url))
        date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(parse_qsl(url.query, True)))
        lines = [str(request.method), url.path, query, f"host:{url.netloc.lower()}", f"x-amz-date:{date}", ""]
        canonical = "\n".join([*lines, "host;x-amz-date", hashlib.sha256(body).hexdigest()])
        scope = "/".join((date[:8], *SCOPE))
        text = "\n".join(("AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
        key = ("AWS4" + self._secret_key).encode()
        for piece in scope.split("/"):
            key = hmac.digest(key, piece.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        request.headers["X-Amz-Date"] = date
        request.headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self._access_key}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
        )
        return request


class Vinyl:
    """The VinylDNS part of a running simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.info: dict[str, Any] = simulator["vinyldns"]
        self.url: str = self.info["url"]
        self.session = requests.Session()
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()

    # -- the API -----------------------------------------------------------------------------------------------------

    def call(self, method: str, path: str, user: str = "ok", **options: Any) -> requests.Response:
        keys = self.info["users"][user]
        auth = Signature(keys["access_key"], keys["secret_key"])
        return self.session.request(method, self.url + path, auth=auth, timeout=10, **options)

    def get(self, path: str, user: str = "ok") -> Any:
        answer = self.call("GET", path, user)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.json()

    def zone_id(self, name: str) -> str:
        return str(self.get(f"/zones/name/{quote(name, safe='')}")["zone"]["id"])

    def zone(self, zone_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/zones/{zone_id}", "super-user")["zone"]
        return found

    def sync(self, zone_id: str, user: str = "ok") -> dict[str, Any]:
        """An accepted sync."""
        answer = self.call("POST", f"/zones/{zone_id}/sync", user)
        assert answer.status_code == 202, (answer.status_code, answer.text)
        change: dict[str, Any] = answer.json()
        return change

    def change(self, zone_id: str, change_id: str) -> dict[str, Any] | None:
        changes = self.get(f"/zones/{zone_id}/changes", "super-user")["zoneChanges"]
        return next((change for change in changes if change["id"] == change_id), None)

    def finished(self, change: dict[str, Any]) -> dict[str, Any]:
        """The change once it is Synced or Failed."""

        def terminal() -> dict[str, Any] | None:
            seen = self.change(change["zone"]["id"], change["id"])
            return seen if seen and seen["status"] != "Pending" else None

        found: dict[str, Any] = wait_until(terminal)
        return found

    def finished_creation(self, change: dict[str, Any]) -> dict[str, Any]:
        """The same for a zone that is only being connected."""
        wait_until(lambda: self.call("GET", f"/zones/{change['zone']['id']}").status_code == 200)
        return self.finished(change)

    def sync_and_wait(self, zone_id: str) -> dict[str, Any]:
        return self.finished(self.sync(zone_id))

    def record_sets(self, zone_id: str) -> dict[tuple[str, str], dict[str, Any]]:
        """All record sets, read type by type because paging may lose rows."""
        items: list[dict[str, Any]] = []
        for rdtype in ["A", "AAAA", "CNAME", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "TXT"]:
            items += self.get(f"/zones/{zone_id}/recordsets?recordTypeFilter={rdtype}")["recordSets"]
        return {(item["name"], item["type"]): item for item in items}

    def record_changes(self, zone_id: str) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = self.get(f"/zones/{zone_id}/recordsetchanges")["recordSetChanges"]
        return changes

    # -- control -----------------------------------------------------------------------------------------------------

    def control(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        return self.simulator.control.part("vinyldns", method, path, body, **query)

    def knob(self, **values: Any) -> None:
        self.simulator.knob("vinyldns", **values)

    def add_zone(self, name: str, **order: Any) -> str:
        return str(self.control("POST", "/zones", {"zones": [{"name": name, **order}]})["ids"][name])

    def add_zone_in_dns(self, name: str, records: list[str]) -> None:
        """A zone that could be connected."""
        self.control("POST", "/zones", {"zones": [{"name": name, "records": records, "vinyldns": None}]})

    def update_dns(self, zone: str, **changes: Any) -> int:
        return int(self.control("POST", "/dns/update", {"zone": zone, **changes})["serial"])


def answer_of(vinyl: Vinyl, method: str, path: str, user: str = "ok", body: object = None) -> tuple[int, Any]:
    answer = vinyl.call(method, path, user, json=body) if body is not None else vinyl.call(method, path, user)
    kind = answer.headers["Content-Type"]
    return answer.status_code, answer.json() if kind == "application/json" else answer.text


def drift(vinyl: Vinyl) -> None:
    """One creation, one update, one deletion, and with them a new serial."""
    vinyl.update_dns(
        MAIN,
        add=[["new", 60, "A", "192.0.2.77"]],
        replace=[["mail", 300, "A", "192.0.2.26"]],
        delete=[["ftp"]],
    )


def changed(vinyl: Vinyl, zone_id: str) -> dict[tuple[str, str], str]:
    """What kind of change each record set went through."""
    changes = [(change["recordSet"], change["changeType"]) for change in vinyl.record_changes(zone_id)]
    return {(record_set["name"], record_set["type"]): action for record_set, action in changes}
