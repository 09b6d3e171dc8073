# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios that run against the emulator (``make test``) and, from the same description, a real Crafter Studio (``make real``).

They assert on what the server saw, and on what is in git.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real import servers
from tests.real.proxy import losing_proxy
from tests.real.servers import HOME, OFFERS, PUBLISHED, UNPUBLISHED, StudioServer

from ..conftest import Outcome, RunModule
from ..playbooks import PlaybookProcess

SYNC, PUBLISH, INFO = "crafter_staging_sync", "crafter_publish", "crafter_publishing_info"
RESET = "publish/reset-staging.json"
FUTURE = f"{datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"

#: What a worker has in common with the next test is the server.
pytestmark = pytest.mark.xdist_group("studio")


@pytest.fixture(scope="module")
def running(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioServer]:
    """The server that option ``--studio`` names."""
    if pytestconfig.getoption("--studio") == "real":
        with servers.real(tmp_path_factory.mktemp("studio")) as studio:
            yield studio
    else:
        with servers.emulated() as studio:
            yield studio


@pytest.fixture
def studio(running: StudioServer) -> StudioServer:
    """The same, with staging ahead of live, nothing queued, and mutating requests counted from now on."""
    running.calm_down()
    running.make_ahead()
    running.mark()
    return running


def git(studio: StudioServer, *arguments: str, site: str = PUBLISHED) -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(studio.repository(site)), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def refs(studio: StudioServer) -> dict[str, str]:
    return {branch: git(studio, "rev-parse", f"refs/heads/{branch}") for branch in ("live", "staging")}


def shown(studio: StudioServer, branch: str, item: str) -> str:
    """The content of an item on a branch."""
    return git(studio, "show", f"{branch}:{item.lstrip('/')}")


def is_reset(studio: StudioServer) -> bool:
    found = refs(studio)
    return found["live"] == found["staging"]


def sync(studio: StudioServer, **options: Any) -> dict[str, Any]:
    return studio.options(published_repo=studio.published_repo(), **options)


def refused(outcome: Outcome, code: str) -> dict[str, Any]:
    record = outcome.only
    assert outcome.failed and not outcome.changed and record["action"] == "refused", record
    assert record["failure"]["code"] == code and record["failure"]["hint"], record
    return dict(record["failure"])


# -- the main job ------------------------------------------------------------------------------------------------------


def test_info(studio: StudioServer, run_module: RunModule) -> None:
    names = ("api_url", "username", "password", "auth_method", "published_repo")
    options = {name: value for name, value in sync(studio).items() if name in names}
    result = run_module(INFO, {**options, "sites": [PUBLISHED, UNPUBLISHED, "nosuch", "Mysite"]}).result
    published, unpublished, nosuch, other_case = result["sites"]
    assert published["exists"] and published["in_sync"] is False and published["in_sync_basis"] == "git_tree"
    assert published["refs"] == refs(studio) and set(published["targets"]) == {"live", "staging"}
    assert unpublished["published"] is False and unpublished["in_sync"] is None
    assert nosuch["exists"] is False and other_case["exists"] is False
    assert studio.mutations() == []


def test_check_sync_and_second_run(studio: StudioServer, run_module: RunModule) -> None:
    before = refs(studio)
    check = run_module(SYNC, sync(studio), check=True, diff=True)
    assert check.only["action"] == "would_trigger" and HOME.lstrip("/") in check.only["detail"]["lost"]["paths"]
    assert studio.mutations() == [] and refs(studio) == before
    first = run_module(SYNC, sync(studio))
    assert first.changed and first.only["state"] == "succeeded" and first.only["changed_basis"] == "observed"
    assert first.only["detail"]["refs"] == {"before": before, "after": refs(studio)} and is_reset(studio)
    assert "4086" in first.warnings
    second = run_module(SYNC, sync(studio))
    assert not second.changed and second.only["action"] == "skipped"
    assert [path.endswith(RESET) for path in studio.mutations()] == [True]


def test_what_is_dropped_is_in_a_tag(studio: StudioServer, run_module: RunModule) -> None:
    lost = run_module(SYNC, sync(studio), check=True).only["detail"]["lost"]
    assert git(studio, "rev-parse", f"{lost['tag']}^{{commit}}") == refs(studio)["staging"]


def test_lost_answer(studio: StudioServer, run_module: RunModule) -> None:
    with losing_proxy(studio.url, RESET) as address:
        outcome = run_module(SYNC, {**sync(studio), "api_url": address})
    assert outcome.only["action"] == "triggered" and outcome.only["state"] == "succeeded" and outcome.changed
    assert is_reset(studio) and len(studio.mutations()) == 1


def test_lost_answer_without_git_is_not_sent_again(studio: StudioServer, run_module: RunModule) -> None:
    with losing_proxy(studio.url, RESET) as address:
        outcome = run_module(SYNC, {**studio.options(settle_grace=1), "api_url": address})
    assert outcome.codes == ["outcome_unknown"] and outcome.only["changed_basis"] == "assumed"
    assert is_reset(studio) and len(studio.mutations()) == 1


# -- what waits for the publisher --------------------------------------------------------------------------------------


def test_a_package_for_the_future(studio: StudioServer, run_module: RunModule) -> None:
    studio.submit([HOME], "live", FUTURE)
    assert studio.status()["status"] == "queued"
    studio.mark()
    outcome = run_module(SYNC, sync(studio, wait_timeout=20))
    assert outcome.only["state"] == "succeeded" and is_reset(studio) and len(studio.mutations()) == 1
    assert outcome.only["detail"]["publisher"]["packages"]["scheduled"] == 1


def test_a_package_that_is_due(studio: StudioServer, run_module: RunModule) -> None:
    run_module(SYNC, sync(studio))
    assert is_reset(studio)
    studio.enable_publisher(False)
    # so many that some are still waiting when the module looks
    for number in range(8):
        studio.edit(PUBLISHED, OFFERS, f"soon staged {number}")
        studio.submit([OFFERS], "staging")
    studio.enable_publisher(True)
    studio.mark()
    outcome = run_module(SYNC, sync(studio))
    assert outcome.only["state"] == "succeeded" and is_reset(studio) and len(studio.mutations()) == 1
    assert studio.waiting() == [] and not run_module(SYNC, sync(studio)).changed


# -- accounts and sites ------------------------------------------------------------------------------------------------


def test_the_default_publisher_role(studio: StudioServer, run_module: RunModule) -> None:
    title = "By the publisher"
    studio.edit(PUBLISHED, OFFERS, title)
    studio.mark()
    published = run_module(PUBLISH, studio.options(account="publisher", target="staging", items=[OFFERS]))
    assert published.only["state"] == "succeeded" and not published.failed, published.output
    assert title in git(studio, "show", f"staging:{OFFERS.lstrip('/')}")
    reset = run_module(SYNC, sync(studio, account="publisher"))
    assert reset.only["state"] == "succeeded" and is_reset(studio) and len(studio.mutations()) == 2
    everything = run_module(PUBLISH, studio.options(account="publisher", target="staging", everything=True))
    assert "publish_all" in refused(everything, "permission_denied")["hint"] and len(studio.mutations()) == 3


def test_a_site_that_was_never_published(studio: StudioServer, run_module: RunModule) -> None:
    for check in (True, False):
        refused(run_module(SYNC, sync(studio, sites=UNPUBLISHED), check=check), "not_found")
        first = run_module(PUBLISH, studio.options(UNPUBLISHED, target="staging", everything=True), check=check)
        assert "live" in refused(first, "guard_refused")["message"]
        refused(run_module(PUBLISH, studio.options(UNPUBLISHED, target="staging", items=[HOME]), check=check), "not_found")
    assert studio.mutations() == [] and not studio.repository(UNPUBLISHED).exists()


def test_another_case_of_a_site_id(studio: StudioServer, run_module: RunModule) -> None:
    for name, options in ((SYNC, {}), (PUBLISH, {"everything": True})):
        hint = refused(run_module(name, studio.options("Mysite", **options)), "not_found")["hint"]
        assert "Did you mean mysite?" in hint
    assert studio.mutations() == []


def test_an_item_that_does_not_exist(studio: StudioServer, run_module: RunModule) -> None:
    options = studio.options(target="staging", items=[HOME, "/site/website/nosuch/index.xml"])
    for check in (True, False):
        assert "nosuch" in refused(run_module(PUBLISH, options, check=check), "not_found")["message"]
    assert studio.mutations() == []


def test_a_wrong_password(studio: StudioServer, run_module: RunModule) -> None:
    refused(run_module(SYNC, sync(studio, password="wrong")), "auth_failed")
    assert studio.mutations() == []


def test_an_account_without_groups(studio: StudioServer, run_module: RunModule) -> None:
    for check in (True, False):
        failure = refused(run_module(SYNC, sync(studio, account="visitor"), check=check), "permission_denied")
        assert "in no group" in failure["message"]
    options = sync(studio, account="visitor")
    names = ("api_url", "username", "password", "auth_method", "published_repo")
    (site,) = run_module(INFO, {name: options[name] for name in names} | {"sites": [PUBLISHED]}).result["sites"]
    assert site["in_sync"] is None and site["failure"]["code"] == "permission_denied"
    assert studio.mutations() == []


def test_a_login_that_4_0_has_no_more(studio: StudioServer, run_module: RunModule) -> None:
    failure = refused(run_module(SYNC, sync(studio, auth_method="session")), "auth_failed")
    assert "token or basic" in failure["hint"]
    assert not [path for path in studio.mutations() if path.endswith(RESET)]


def test_info_spares_other_sites_from_a_failure_of_git(studio: StudioServer, run_module: RunModule) -> None:
    names = ("api_url", "username", "password", "auth_method")
    options = {name: value for name, value in sync(studio).items() if name in names}
    outcome = run_module(INFO, {**options, "sites": [PUBLISHED], "published_repo": "/nowhere/{site}"})
    (site,) = outcome.result["sites"]
    assert not outcome.failed and site["failure"]["code"] == "not_found" and site["in_sync"] is None and site["targets"]


def test_the_documented_endpoint_is_in_no_release(studio: StudioServer, run_module: RunModule) -> None:
    for check in (True, False):
        outcome = run_module(SYNC, sync(studio, endpoint="sync-staging"), check=check)
        assert "no release of Crafter Studio has it" in outcome.warnings
    assert refused(outcome, "endpoint_missing") and not is_reset(studio)


# -- publishing and promotion ------------------------------------------------------------------------------------------


def test_publish_items_and_everything(studio: StudioServer, run_module: RunModule) -> None:
    assert shown(studio, "live", HOME) != shown(studio, "staging", HOME)
    items = run_module(PUBLISH, studio.options(items=[HOME], comment="by the test"))
    assert items.only["state"] == "succeeded" and items.only["changed_basis"] == "observed"
    assert len(studio.mutations()) == 1 and shown(studio, "live", HOME) == shown(studio, "staging", HOME)
    studio.edit(PUBLISHED, OFFERS, "everything")
    studio.mark()
    everything = run_module(PUBLISH, studio.options(everything=True))
    assert everything.only["state"] == "succeeded" and len(studio.mutations()) == 1
    assert "everything" in git(studio, "show", f"live:{OFFERS.lstrip('/')}")


def test_everything_with_a_stopped_publisher(studio: StudioServer, run_module: RunModule) -> None:
    studio.edit(PUBLISHED, OFFERS, "without a publisher")
    studio.enable_publisher(False)
    studio.mark()
    outcome = run_module(PUBLISH, studio.options(target="staging", everything=True))
    assert outcome.only["state"] == "succeeded" and len(studio.mutations()) == 1
    assert "without a publisher" in git(studio, "show", f"staging:{OFFERS.lstrip('/')}")


@pytest.mark.parametrize("provider", ["crafter", "crafter_publish"])
def test_the_promotion_role(provider: str, studio: StudioServer, environment: dict[str, str], tmp_path: Path) -> None:
    more = {"published_repo": studio.published_repo()} if provider == "crafter" else {"items": [HOME], "target": "live"}
    options = {**studio.options(), **more}
    report = tmp_path / "report.json"
    variables = {
        "staging_promotion_targets": [{"provider": provider, "options": options}],
        "staging_promotion_release": f"release-{provider}",
        "staging_promotion_report_path": str(report),
    }
    (tmp_path / "vars.json").write_text(json.dumps(variables))

    def promote() -> tuple[int, str]:
        arguments = ["lockstep.sync.promote_staging", "-e", f"@{tmp_path / 'vars.json'}"]
        process = PlaybookProcess(arguments, environment, tmp_path, tmp_path / "output")
        return process.wait(180), (tmp_path / "output").read_text()

    code, output = promote()
    assert code == 0, output
    written = json.loads(report.read_text())
    assert written["verdict"] == "succeeded" and len(studio.mutations()) == 1
    if provider == "crafter":
        assert is_reset(studio) and "4086" in output and "4086" in report.read_text()
    else:
        assert shown(studio, "live", HOME) == shown(studio, "staging", HOME)
    code, output = promote()
    assert code == 0 and len(studio.mutations()) == 1, output
    assert json.loads(report.read_text())["verdict"] == "succeeded"
