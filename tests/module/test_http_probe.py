# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""http_probe against real sites, asserting on what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.client import Simulator, wait_until
from tests.unit.plugins.support.certificates import new_certificate
from tests.unit.plugins.support.web import Reply, Request, Responder, Web

from .conftest import Outcome, RunModule

PROBE = "http_probe"
SECRET = "s3cr3t-Value"


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar"]) as running:
        running.reset()
        yield running


@pytest.fixture
def sites(simulator: Simulator) -> dict[str, str]:
    """Addresses of the emulated sites, as they are at the start."""
    simulator.reset()
    return dict(simulator["serveravatar"]["sites"])


@pytest.fixture
def serve() -> Iterator[Callable[..., Web]]:
    """Starts sites that end with the test."""
    started: list[Web] = []

    def start(responder: Responder, tls: tuple[str, str] | None = None) -> Web:
        started.append(Web(responder, tls))
        return started[-1]

    yield start
    for site in started:
        site.stop()


def problems(outcome: Outcome) -> list[list[str]]:
    return [probe["problems"] for probe in outcome.result["probes"]]


@pytest.mark.parametrize("check", [False, True])
def test_healthy_sites(simulator: Simulator, sites: dict[str, str], run_module: RunModule, check: bool) -> None:
    probes = [
        {"name": "page", "url": f"{sites['production']}/", "regex": "<title>", "not_regex": 'data-status="broken"'},
        {
            "name": "health",
            "url": f"{sites['staging']}/health",
            "headers": {"X-Site": "^staging$", "content-type": "json"},
            "json": [{"path": "status", "equals": "ok"}, {"path": "release", "regex": "."}],
            "max_latency": 5,
        },
    ]
    outcome = run_module(PROBE, {"probes": probes, "successes": 2, "interval": 0.05, "soak": 0.1}, check=check)
    assert (outcome.failed, outcome.changed, outcome.result["ok"], outcome.result["failure"]) == (False, False, True, None)
    seen = [f"{entry['method']} {entry['path']}" for entry in simulator.requests(part="serveravatar")]
    for probe in outcome.result["probes"]:
        assert (probe["ok"], probe["status"], probe["attempts"]) == (True, 200, probe["requests"])
        assert probe["attempts"] >= 3
    base = simulator["serveravatar"]["url"]
    assert set(seen) == {f"GET {probe['url'].removeprefix(base)}" for probe in probes}
    assert len(seen) == outcome.result["requests"] == sum(probe["requests"] for probe in outcome.result["probes"])
    assert simulator.requests(kind="mutate") == []


def test_a_release_that_breaks_a_site_is_a_regression(simulator: Simulator, sites: dict[str, str], run_module: RunModule) -> None:
    probes = [
        {"name": "production", "url": f"{sites['production']}/health", "json": [{"path": "status", "equals": "ok"}]},
        {"name": "staging", "url": f"{sites['staging']}/health"},
        {"name": "gone", "url": f"{sites['production']}-gone/"},
    ]
    before = run_module(PROBE, {"probes": probes, "timeout": 0, "fail": False})
    assert [probe["ok"] for probe in before.result["probes"]] == [True, True, False]
    assert (before.failed, before.result["regressions"]) == (False, ["gone"])
    assert len(simulator.requests(part="serveravatar")) == 3

    release = run_module(
        PROBE, {"probes": [{"url": f"{sites['production']}/health", "headers": {"X-Release": "^$"}}], "timeout": 0}
    )
    marker = release.result["probes"][0]["problems"][0].split("'")[1]
    simulator.knob("serveravatar", broken_release=marker)
    after = run_module(PROBE, {"probes": probes, "timeout": 0.3, "interval": 0.1, "before": before.result["probes"]})
    assert after.failed
    assert (after.result["regressions"], after.result["already_failing"]) == (["production"], ["gone"])
    assert problems(after) == [
        ["status 500, wanted 200", 'json status is "broken", wanted "ok"'],
        [],
        ["status 404, wanted 200"],
    ]
    assert (after.result["failure"]["code"], after.result["failure"]["http_status"]) == ("probe_failed", 500)
    assert simulator.requests(kind="mutate") == []


def test_it_waits_for_a_site_to_come_up(serve: Callable[..., Web], run_module: RunModule) -> None:
    def respond(request: Request) -> Reply:
        return Reply(200 if len(site.log) > 3 else 503)

    site = serve(respond)
    outcome = run_module(PROBE, {"probes": [{"url": site.url, "method": "HEAD"}], "successes": 2, "interval": 0.05})
    (probe,) = outcome.result["probes"]
    assert (outcome.failed, probe["ok"], probe["attempts"], probe["consecutive"]) == (False, True, 5, 2)
    assert site.lines == ["HEAD /"] * 5


def test_no_secret_is_shown(serve: Callable[..., Web], run_module: RunModule) -> None:
    def respond(request: Request) -> Reply:
        echo = f'{{"echo": "{request.headers.get("Authorization", "")} {request.target}"}}'.encode()
        return Reply(500, echo, headers={"X-Echo": echo.decode(), "Set-Cookie": f"id={SECRET}"})

    site = serve(respond)
    checks = {
        "headers": {"X-Echo": "^$", "Set-Cookie": "^$"},
        "json": [{"path": "echo", "equals": "x"}],
        "regex": "nothing like this",
    }
    probes = [
        {"url": f"http://user:{SECRET}@{site.netloc}/a?token={SECRET}", **checks},
        {"url": f"{site.url}/b", "url_username": "user", "url_password": SECRET, **checks},
        {"url": f"{site.url}/c", "request_headers": {"Authorization": f"Bearer {SECRET}", "X-Short": "1"}, **checks},
    ]
    outcome = run_module(PROBE, {"probes": probes, "timeout": 0})
    assert outcome.failed
    assert [request.headers["Authorization"].split()[0] for request in sorted(site.log, key=lambda each: each.path)] == [
        "Basic",
        "Basic",
        "Bearer",
    ]
    assert SECRET not in outcome.output
    assert "dXNlcjpz" not in outcome.output  # the beginning of both in base64
    # and nothing is masked for having a part in common with a short value
    assert [probe["attempts"] for probe in outcome.result["probes"]] == [1, 1, 1]
    assert [len(found) for found in problems(outcome)] == [5, 5, 5]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"probes": [{"regex": "("}]}, "option probes[0].regex"),
        ({"probes": [{"json": [{"path": "a..b", "exists": True}]}]}, "option probes[0].json[0].path"),
        ({"interval": -1}, "option interval"),
        ({"probes": [{"name": "x"}, {"name": "x"}]}, "option probes[1].name"),
    ],
)
def test_bad_options_are_refused_before_any_request(
    serve: Callable[..., Web], run_module: RunModule, options: dict[str, Any], named: str
) -> None:
    site = serve(lambda request: Reply())
    probes = [{"url": f"http://u:{SECRET}@{site.netloc}/?t={SECRET}", **probe} for probe in options.get("probes", [{}])]
    outcome = run_module(PROBE, {**options, "probes": probes, "fail": False})
    assert (outcome.failed, outcome.result["failure"]["code"], outcome.result["requests"]) == (True, "invalid_option", 0)
    assert outcome.result["msg"].startswith(named)
    assert (site.log, SECRET in outcome.output) == ([], False)


@pytest.mark.parametrize("more", [{"method": "POST"}, {"nonsense": 1}, {"json": [{"path": "a"}]}, {"status": "x"}])
def test_what_ansible_refuses_shows_no_secret_either(
    serve: Callable[..., Web], run_module: RunModule, more: dict[str, Any]
) -> None:
    site = serve(lambda request: Reply())
    probe = {"url": f"http://u:{SECRET}@{site.netloc}/?t={SECRET}", "request_headers": {"A": SECRET}, **more}
    outcome = run_module(PROBE, {"probes": [probe]})
    assert (outcome.failed, site.log, SECRET in outcome.output) == (True, [], False)


def test_the_certificate_of_a_site(serve: Callable[..., Web], run_module: RunModule, tmp_path: Path) -> None:
    certificate = new_certificate(tmp_path / "tls", 10.5)
    site = serve(lambda request: Reply(), certificate)
    names = {"trusted": {"ca_path": certificate[0]}, "untrusted": {}, "unchecked": {"validate_certs": False}}
    probes = [{"name": name, "url": site.url, "min_certificate_days": 10, **how} for name, how in names.items()]
    outcome = run_module(PROBE, {"probes": [*probes, {**probes[0], "name": "longer", "min_certificate_days": 11}], "timeout": 0})
    assert [probe["ok"] for probe in outcome.result["probes"]] == [True, False, True, False]
    assert [probe["certificate_days"] for probe in outcome.result["probes"]] == [10, None, 10, 10]
    assert problems(outcome)[1][0].startswith(f"TLS with {site.url} failed: ")
    assert problems(outcome)[3] == ["certificate valid for 10 more days, wanted at least 11"]
    assert len(site.log) == outcome.result["requests"] == 3


def test_it_ends_on_a_signal(serve: Callable[..., Web], start_module: Any) -> None:
    site = serve(lambda request: Reply(raw=b"H", drip=60))
    running = start_module(PROBE, {"probes": [{"url": site.url, "request_timeout": 50}]})
    wait_until(lambda: site.log)
    outcome = running.terminate()
    assert (outcome.failed, outcome.result["failure"]["code"]) == (True, "outcome_unknown")
