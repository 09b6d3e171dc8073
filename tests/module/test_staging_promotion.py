# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role staging_promotion by its playbook, as processes that are killed, meet each other and are watched, against the emulators.

A playbook takes seconds. So what goes with less is tested elsewhere, and each test goes as far with one run as it can.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.server
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest

from ansible_collections.lockstep.sync.plugins.plugin_utils._promotion.vocabulary import HOOKS
from tests.simulator.client import Simulator, wait_until
from tests.terminal import Terminal

PREFIX = "staging_promotion_"
#: applications that have a staging area, with the site of that one
STAGING = {88: 89, 90: 91, 92: 93}
SHOP, BLOG, SUPPORT = STAGING
#: lasts until it is ended
LONG = 600.0

#: on a busy machine, a playbook may take its time
eventually = functools.partial(wait_until, seconds=90.0, interval=0.02)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator.start(parts=["serveravatar", "crafter", "plm"]) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(simulator: Simulator) -> None:
    simulator.reset()


class Server:
    """The emulated service as the tests see it."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        info = simulator["serveravatar"]
        self.url: str = info["url"]
        self.token: str = info["api_token"]
        self.storage: int = info["backup_provider"]

    def target(self, application: int = SHOP, **more: Any) -> dict[str, Any]:
        """An entry of staging_promotion_targets."""
        place = {"organization": "5", "server": "15", "application": str(application)}
        return {
            "provider": "serveravatar",
            "options": {
                "api_url": self.url,
                "api_token": self.token,
                **place,
                "poll_min_interval": 0.1,
                "poll_max_interval": 0.3,
            },
            "backup": {"storage": str(self.storage)},
            "verify_staging": [{"url": f"{self.url}/sites/{STAGING[application]}/health"}],
            "verify": [{"name": "health", "url": f"{self.url}/sites/{application}/health"}],
            **more,
        }

    def knob(self, **values: Any) -> None:
        self.simulator.knob("serveravatar", **values)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return self.simulator.control.part("serveravatar", method, path, body)

    def truth(self, application: int) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"/applications/{application}")
        return found

    def syncs(self, application: int) -> int:
        """Syncs that the API began."""
        return sum(run["kind"] == "sync" for run in self.truth(application)["runs"])

    def is_syncing(self, application: int) -> bool:
        return bool(self.truth(application)["busy"])

    def restores(self, application: int) -> int:
        return len(self.truth(application)["restores"])

    def finish_sync(self, application: int) -> None:
        self.control("POST", f"/applications/{application}/finish")

    def looks(self, application: int) -> int:
        """How often somebody asked the site of production."""
        return len(self.simulator.requests(part="serveravatar", path=rf"/sites/{application}/"))

    def sent(self, part: str | None = None) -> list[str]:
        """Requests that change something."""
        return [f"{entry['part']} {entry['path']}" for entry in self.simulator.requests(part=part, kind="mutate")]


@pytest.fixture
def server(simulator: Simulator) -> Server:
    return Server(simulator)


@dataclasses.dataclass(frozen=True)
class Played:
    """What became of a run of the playbook."""

    code: int
    output: str
    report: dict[str, Any]
    files: str

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"])

    @property
    def one_line(self) -> str:
        """The output as one line, without the line breaks of warnings."""
        return " ".join(self.output.split()).replace('\\"', '"')

    @property
    def stats(self) -> dict[str, Any]:
        """What is passed on to workflows, as ``ANSIBLE_SHOW_CUSTOM_STATS`` prints it."""
        match = re.search(r"^\tRUN: (\{.*\})$", self.output, re.MULTILINE)
        assert match, self.output
        found: dict[str, Any] = json.loads(match[1])[PREFIX.rstrip("_")]
        return found

    @property
    def hooks(self) -> list[str]:
        """The moments whose task files ran."""
        return re.findall(r"ran at (\w+) in p-[\w-]+ for release", self.output)

    def only(self) -> dict[str, Any]:
        (target,) = self.report["targets"]
        return dict(target)

    def phases(self) -> list[tuple[str, str]]:
        return [(phase["phase"], phase["state"]) for phase in self.report["phases"]]


class Running:
    """A playbook at work."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.folder = folder
        self.report = folder / "report.json"
        self.temporary = folder / "temporary"
        self._shown = folder / "output"
        with self._shown.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, "ANSIBLE_LOCAL_TEMP": str(self.temporary), "ANSIBLE_REMOTE_TEMP": str(folder / "remote")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._shown.read_text()

    def is_over(self) -> bool:
        return self.process.poll() is not None

    def finish(self) -> Played:
        """Every run that may end leaves all reports, and nothing else."""
        self.process.wait(timeout=300)
        assert self.report.exists(), self.output
        assert [*self.temporary.glob("*"), *(self.folder / "remote").glob("*")] == []
        assert "Traceback" not in self.output, self.output
        files = [self.report.with_suffix(suffix) for suffix in (".json", ".md", ".html")]
        assert [path.stat().st_mode & 0o777 for path in files] == [0o600] * 3
        report = json.loads(files[0].read_text())
        assert all(report["run"] in path.read_text() for path in files)
        return Played(self.process.returncode, self.output, report, "".join(path.read_text() for path in files))

    def left(self) -> str:
        """All that is left of a run in files, but not what it was given."""
        texts = [self.output]
        for path in (found for folder in ("remote", "temporary") for found in (self.folder / folder).rglob("*")):
            with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # orphans may be at work
                texts.append(path.read_text("latin-1"))
        return "".join(texts)

    def kill(self, with_children: bool = True) -> None:
        """As the OOM killer would, or the end of a container."""
        self.process.kill()
        self.process.wait()
        while with_children and self._kill_children():
            pass

    def _kill_children(self) -> int:
        """Ansible's processes lead sessions of their own, and orphans have another parent; the environment stays."""
        mark, found = os.fsencode(f"ANSIBLE_LOCAL_TEMP={self.temporary}"), 0
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    os.kill(int(path.name), signal.SIGKILL)
                    found += 1
        return found


class Playbook:
    """Runs ``lockstep.sync.promote_staging``."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = {
            **environment,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        }
        self.folder = folder
        self.started: list[Running] = []
        self._lock = threading.Lock()

    def start(self, *arguments: str, environment: dict[str, str] | None = None, **variables: Any) -> Running:
        """:param variables: those of the role, without its prefix; None leaves one of the usual ones out."""
        with self._lock:
            command, folder = self._prepare(arguments, variables)
            self.started.append(Running(command, {**self.environment, **(environment or {})}, folder))
            return self.started[-1]

    def on_terminal(self, **variables: Any) -> tuple[Terminal, Path]:
        """A run that somebody sits before, and its report."""
        command, folder = self._prepare((), variables)
        return Terminal(command, folder, {**self.environment, "TERM": "dumb"}), folder / "report.json"

    def _prepare(self, arguments: tuple[str, ...], variables: dict[str, Any]) -> tuple[list[str], Path]:
        folder = self.folder / f"run{len(self.started) + 1}"
        folder.mkdir()
        usual = {"release": "r2", "verify_interval": 0.1, "verify_timeout": 3, "report_path": str(folder / "report.json")}
        given = {PREFIX + key: value for key, value in {**usual, **variables}.items() if value is not None}
        (folder / "variables.json").write_text(json.dumps(given))
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": {"localhost": local}}}))
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        command = [program, "-i", "inventory.json", "-e", "@variables.json", *arguments]
        playbook = [] if any(name.endswith(".yml") for name in arguments) else ["lockstep.sync.promote_staging"]
        return [*command, *playbook], folder

    def __call__(self, *arguments: str, **variables: Any) -> Played:
        return self.start(*arguments, **variables).finish()


@pytest.fixture
def playbook(environment: dict[str, str], tmp_path: Path) -> Iterator[Playbook]:
    playbook = Playbook(environment, tmp_path)
    yield playbook
    for running in playbook.started:
        running.kill()


# -- interrupted runs ------------------------------------------------------------------------------------------------


class StoreReader:
    """Reads the promotion store, a file that outlives the runs."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def promotion(self, application: int) -> tuple[str, str] | None:
        """Run and phase of the unfinished promotion of an application."""
        if not self.path.exists():
            return None
        query = "SELECT run, phase FROM promotions WHERE target LIKE ? AND verdict IS NULL"
        # the tables may not be there yet
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as db, contextlib.suppress(sqlite3.OperationalError):
            found: tuple[str, str] | None = db.execute(query, (f"%/{application}",)).fetchone()
            return found
        return None


class Lane:
    """One application that is promoted by runs that are killed."""

    def __init__(self, server: Server, playbook: Playbook, store: StoreReader, application: int, with_children: bool) -> None:
        self.server = server
        self.playbook = playbook
        self.store = store
        self.application = application
        self.with_children = with_children
        self.first: str | None = None
        self.backups = set(server.truth(application)["backups"])

    def start(self, **variables: Any) -> Running:
        return self.playbook.start(targets=[self.server.target(self.application)], backup="required", **variables)

    def kill_in(self, phase: str, seen: Callable[[], Any], **variables: Any) -> None:
        """Start a run and kill it once the server shows the phase."""
        running = self.start(**variables)
        eventually(lambda: running.is_over() or seen())
        found = self.store.promotion(self.application)
        running.kill(self.with_children)
        assert running.process.returncode == -signal.SIGKILL, running.output
        assert found is not None and found[1] == phase, running.output
        assert self.server.token not in running.left()
        # all of them are one promotion
        self.first = self.first or found[0]
        assert found[0] == self.first

    def made(self) -> list[int]:
        """The backups that were made since."""
        return sorted(set(self.server.truth(self.application)["backups"]) - self.backups)

    def kill_in_backup(self) -> None:
        self.kill_in("backup", self.made)
        (made,) = self.made()
        self.server.control("PUT", f"/backups/{made}", {"status": "Completed", "done": True})

    def kill_in_sync(self) -> None:
        self.kill_in("sync", lambda: self.server.is_syncing(self.application))
        self.server.finish_sync(self.application)

    def kill_in_verification(self) -> None:
        before = self.server.looks(self.application)
        # it was looked at for the preflight of the first run only
        seen = functools.partial(self._is_soaking, before)
        self.kill_in("verify", seen, soak=LONG, verify_successes=2)

    def _is_soaking(self, before: int) -> bool:
        return self.server.looks(self.application) > before + 2

    def kill_in_restore(self) -> None:
        self.kill_in("rollback", lambda: self.server.restores(self.application), verify_timeout=1)

    def end(self, phase: str, **variables: Any) -> dict[str, Any]:
        """The last run, which is not disturbed.

        :param phase: in which it goes on.
        """
        played = self.start(**variables).finish()
        target = played.only()
        assert target["resumed"]["run"] == self.first, played.output
        assert (target["resumed"]["phase"], target["verdict"]) == (phase, played.verdict)
        assert self.store.promotion(self.application) is None
        assert len(self.made()) == 1
        assert target["backup"]["id"] == self.made()[0]
        assert self.server.syncs(self.application) == 1
        assert played.code == (0 if played.verdict == "succeeded" else 2), played.output
        return target


@pytest.fixture
def store(ledger: Path) -> StoreReader:
    return StoreReader(ledger)


def test_killed_anywhere_it_goes_on_and_does_nothing_twice(server: Server, playbook: Playbook, store: StoreReader) -> None:
    lasting = {"backup_seconds": LONG, "sync_seconds": LONG, "restore_seconds": 6.0}
    broken = {"broken_release": "release-2", "restore_seconds": 6.0}
    overrides: dict[str, Any] = {str(SHOP): lasting, str(BLOG): lasting, str(SUPPORT): broken}
    server.knob(applications=overrides)

    def killed_with_its_children() -> tuple[dict[str, Any], dict[str, Any]]:
        shop = Lane(server, playbook, store, SHOP, with_children=True)
        shop.kill_in_backup()
        shop.kill_in_sync()
        shop.kill_in_verification()
        support = Lane(server, playbook, store, SUPPORT, with_children=True)
        support.kill_in_restore()
        return shop.end("verify"), support.end("rollback", verify_timeout=20)

    def survived_by_orphans() -> dict[str, Any]:
        blog = Lane(server, playbook, store, BLOG, with_children=False)
        blog.kill_in_backup()
        blog.kill_in_sync()
        blog.kill_in_verification()
        # the promoted release turns out to be broken while only an orphaned process is observing it
        overrides[str(BLOG)] = {**lasting, "broken_release": "release-2"}
        server.knob(applications=overrides)
        blog.kill_in_restore()
        return blog.end("rollback", verify_timeout=20)

    with ThreadPoolExecutor(2) as lanes:
        first, second = lanes.submit(killed_with_its_children), lanes.submit(survived_by_orphans)
        shop, support = first.result()
        blog = second.result()

    assert (shop["verdict"], server.truth(SHOP)["production"], server.restores(SHOP)) == ("succeeded", "release-2", 0)
    for application, target in ((SUPPORT, support), (BLOG, blog)):
        assert (target["verdict"], target["rollback"]["state"]) == ("rolled_back", "succeeded"), target
        assert "status 500, wanted 200" in target["reason"]
        assert (server.truth(application)["production"], server.restores(application)) == ("release-1", 1)


def test_two_at_once_promote_once(server: Server, playbook: Playbook) -> None:
    server.knob(sync_seconds=LONG)
    both = [playbook.start(targets=[server.target()], lock_wait=0) for dummy in range(2)]
    eventually(lambda: any(run.is_over() for run in both))
    loser, winner = sorted(both, key=lambda run: not run.is_over())
    assert not winner.is_over(), winner.output
    refused = loser.finish()
    eventually(lambda: server.is_syncing(SHOP))
    server.finish_sync(SHOP)
    promoted = winner.finish()
    assert (promoted.code, promoted.verdict) == (0, "succeeded"), promoted.output
    assert (refused.code, refused.verdict) == (2, "refused"), refused.output
    assert promoted.report["run"] in refused.report["message"]
    assert promoted.report["run"] in refused.one_line
    assert (server.syncs(SHOP), len(server.sent())) == (1, 2)


def test_the_loser_of_a_race_waits_and_finds_the_release_done(server: Server, playbook: Playbook) -> None:
    server.knob(sync_seconds=LONG)
    both = [playbook.start(targets=[server.target()]) for dummy in range(2)]
    eventually(lambda: server.is_syncing(SHOP))
    server.finish_sync(SHOP)
    played = [run.finish() for run in both]
    assert [(run.code, run.verdict) for run in played] == [(0, "succeeded")] * 2, played[0].output + played[1].output
    assert sorted(run.report["changed"] for run in played) == [False, True]
    assert (server.syncs(SHOP), len(server.sent())) == (1, 2)


# -- hooks -----------------------------------------------------------------------------------------------------------


class Hooks:
    """Task files that say when they run, in the folder of a playbook of the user."""

    def __init__(self, folder: Path) -> None:
        self.playbook = folder / "site.yml"
        role: dict[str, Any] = {"role": "lockstep.sync.staging_promotion"}
        self.playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": [role]}]))
        (folder / "hooks").mkdir()
        self._folder = folder / "hooks"

    def __call__(self, base: str, *names: str, failing: tuple[str, ...] = ()) -> dict[str, Any]:
        return {name: self._write(name, base, name in failing) for name in [*names, *failing]}

    def _write(self, name: str, base: str, failing: bool) -> Any:
        said = f"ran at {name} in {{{{ staging_promotion_begun.run }}}} for release {{{{ staging_promotion_release }}}}"
        tasks: list[dict[str, Any]] = [{"name": "Say so", "ansible.builtin.debug": {"msg": said}}]
        if failing:
            tasks.append({"name": "Fail", "ansible.builtin.fail": {"msg": f"{name} does not want to"}})
        file = f"{'failing_' if failing else ''}{name}.yml"
        (self._folder / file).write_text(json.dumps(tasks))
        # both ways to write it
        return f"{base}/{file}" if name.startswith("before") else [f"{base}/{file}"]


def test_hooks_run_when_something_is_done(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    hooks = Hooks(tmp_path)
    moments = [name for name in HOOKS if name != "on_failure"]
    # relative to the playbook, not to the working directory
    starting = playbook.start(str(hooks.playbook), targets=[server.target()], hooks=hooks("hooks", *HOOKS))
    refusing = hooks(
        "../hooks", "before_backup", "after_sync", "after_rollback", "on_failure", failing=("before_sync", "before_report")
    )
    stopping = playbook.start(targets=[server.target(BLOG)], hooks=refusing)
    first, stopped = starting.finish(), stopping.finish()
    assert (first.code, first.verdict) == (0, "succeeded"), first.output
    assert first.hooks == [name for name in moments if "rollback" not in name]
    assert (stopped.code, stopped.verdict) == (2, "failed"), stopped.output
    assert "before_sync does not want to" in stopped.report["message"]
    assert stopped.hooks == ["before_backup", "before_sync", "before_report", "on_failure"]
    assert server.syncs(BLOG) == 0

    repeating = playbook.start(targets=[server.target()], hooks=hooks("../hooks", *HOOKS))
    regretting = hooks("../hooks", "after_verify", "before_rollback", "after_rollback", "on_failure", failing=("after_sync",))
    undoing = playbook.start(targets=[server.target(SUPPORT)], hooks=regretting)
    again, undone = repeating.finish(), undoing.finish()
    assert (again.code, again.verdict) == (0, "succeeded"), again.output
    assert again.hooks == ["before_preflight", "before_report", "after_report", "after_notify"]
    assert (undone.code, undone.verdict) == (2, "rolled_back"), undone.output
    assert "after_sync does not want to" in undone.report["message"]
    assert undone.hooks == ["after_sync", "before_rollback", "after_rollback", "on_failure"]
    assert (server.syncs(SUPPORT), server.restores(SUPPORT), server.truth(SUPPORT)["production"]) == (1, 1, "release-1")


# -- approval, secrets and notifications -----------------------------------------------------------------------------


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


def test_approved_by_its_digest_notified_and_without_a_secret(server: Server, playbook: Playbook, ledger: Path) -> None:
    canaries = {name: f"canary-{name}-8fd1" for name in ("header", "query", "path", "key")}
    target = server.target()
    target["verify"] = [
        {
            "url": f"{server.url}/sites/{SHOP}/health?token={canaries['query']}",
            "request_headers": {"Authorization": f"Bearer {canaries['header']}"},
        }
    ]
    loud = {"ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "1"}
    with Receiver() as receiver:
        webhook = {"url": f"{receiver.url}/hooks/{canaries['path']}", "headers": {"X-Key": canaries["key"]}}
        variables = {"targets": [target], "approval": "token", "notify": {"webhook": webhook}}
        dead = {"on": "always", "webhook": {**webhook, "url": f"http://127.0.0.1:1/hooks/{canaries['path']}"}}

        looking = playbook.start("--check", "-vvvv", environment=loud, **variables)
        guessing = playbook.start("-vvvv", approve="0123456789abcdef", environment=loud, **variables)
        looked, guessed = looking.finish(), guessing.finish()
        assert (looked.code, looked.verdict, looked.report["check_mode"]) == (0, "planned", True), looked.output
        assert (guessed.code, guessed.verdict) == (2, "refused"), guessed.output
        assert server.sent() == []
        assert [notification["verdict"] for notification in receiver.received] == ["refused"]

        done = playbook("-vvvv", approve=looked.stats["digest"], environment=loud, **variables)
        assert (done.code, done.verdict) == (0, "succeeded"), done.output
        assert len(server.sent()) == 2
        notification = receiver.received[-1]
        assert len(receiver.received) == 2
        assert (notification["verdict"], notification["run"]) == ("succeeded", done.report["run"])
        assert (notification["path"], notification["key"]) == (f"/hooks/{canaries['path']}", canaries["key"])

        same = playbook.start(**variables)
        unheard = playbook.start("-vvvv", **{**variables, "notify": dead})
        unchanged, alone = same.finish(), unheard.finish()
        assert (unchanged.code, unchanged.verdict, unchanged.report["changed"]) == (0, "succeeded", False), unchanged.output
        assert len(receiver.received) == 2
        assert (alone.code, alone.verdict) == (0, "succeeded"), alone.output
        assert "[WARNING]: webhook: " in alone.one_line
        assert ("notify", "failed") in alone.phases()
    assert len(server.sent()) == 2

    stats = done.stats
    assert {name: stats[name] for name in ("verdict", "run", "release", "digest")} == {
        "verdict": "succeeded",
        "run": done.report["run"],
        "release": "r2",
        "digest": looked.report["digest"],
    }
    assert stats["summary"]["succeeded"] == 1
    assert stats["report_path"] == str(playbook.started[2].report)

    left = {
        f"run {number}": played.output + played.files for number, played in enumerate((looked, guessed, done, unchanged, alone))
    }
    left["ledger"] = "".join(path.read_text("latin-1") for path in ledger.parent.iterdir())
    # it said much, arguments of tasks among it
    assert "moment" in done.output or "step=" in done.output or '"step"' in done.output
    shown = [
        (where, name)
        for where, text in left.items()
        for name, secret in {**canaries, "token": server.token}.items()
        if secret in text
    ]
    assert shown == []


# -- what cannot work ------------------------------------------------------------------------------------------------


def test_wrong_variables_are_listed_in_one_message_and_reported(server: Server, playbook: Playbook) -> None:
    target = server.target()
    odd = {**target, "options": {**target["options"], "aplication": "shop"}}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"targets": [target], "verify_timeuot": 5}, "Did you mean staging_promotion_verify_timeout?"),
        ({"targets": [{**target, "provider": "serveravater"}]}, "serveravater"),
        ({"targets": [odd]}, "aplication"),
        ({"targets": [target], "windows": {"deny": [{"days": "mon-funday"}]}}, "staging_promotion_windows.deny[0].days"),
    ]
    for pair in (cases[:2], cases[2:]):
        started = [playbook.start(**variables) for variables, dummy in pair]
        for run, (dummy, word) in zip(started, pair, strict=True):
            played = run.finish()
            assert played.code == 2, played.output
            assert played.verdict in ("failed", "refused"), played.output
            assert word in played.report["message"], played.report
            assert " ".join(played.report["message"].split()) in played.one_line
            assert played.output.count("fatal: [localhost]") == 1, played.output
    assert server.sent() == []


# -- what the play says ---------------------------------------------------------------------------------------------


class Sites:
    """Playbooks of a user that run the role."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, **play: Any) -> str:
        file = self._folder / "site.yml"
        file.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, **play}]))
        return str(file)


ROLE: dict[str, Any] = {"role": "lockstep.sync.staging_promotion"}


def shown(output: str, task: str) -> list[str]:
    """How the lines under a task begin."""
    found = re.search(rf"TASK \[[^\]]*{re.escape(task)}\] \*+\n((?:.+\n)*)", output)
    return [line.partition(":")[0] for line in found[1].splitlines()] if found else []


def test_a_failing_hook_stops_the_promotion_whatever_the_play_ignores(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    hooks = Hooks(tmp_path)
    file = Sites(tmp_path)(ignore_errors=True, roles=[ROLE])
    played = playbook(file, targets=[server.target()], hooks=hooks("hooks", failing=("before_sync",)))
    assert (played.code, played.verdict) == (0, "failed"), played.output
    assert "Fail: before_sync does not want to" in played.report["message"]
    assert server.syncs(SHOP) == 0


def test_check_mode_of_a_block(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    role = {"name": "Promote", "ansible.builtin.import_role": {"name": "lockstep.sync.staging_promotion"}}
    file = Sites(tmp_path)(tasks=[{"check_mode": True, "block": [role]}])
    played = playbook(file, targets=[server.target()])
    assert (played.code, played.verdict, played.report["check_mode"]) == (0, "planned", True), played.output
    assert server.sent() == []


def test_what_is_not_done_is_skipped(server: Server, playbook: Playbook) -> None:
    unknown = server.target()
    unknown["options"]["application"] = "shopp"
    played = playbook(targets=[unknown])
    assert (played.code, played.verdict) == (2, "refused"), played.output
    assert shown(played.output, "Inspect targets") == ["ok"]
    assert shown(played.output, "Evaluate preflight checks") == ["ok"]
    for task in ("Check the change windows", "Ask for approval", "Take the locks, or resume what was interrupted"):
        assert shown(played.output, task) == ["skipping"]
    assert shown(played.output, "Sync and wait") == []
    assert shown(played.output, "Write the report") == ["ok"]


def test_the_reason_of_an_item_that_failed_is_in_the_report(server: Server, playbook: Playbook, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = str(tmp_path / "file" / "ledger.sqlite3")
    played = playbook(targets=[server.target(), server.target(BLOG)], ledger_path=place)
    assert (played.code, played.verdict) == (2, "failed"), played.output
    assert f"Inspect targets: {SHOP}: " in played.report["message"]
    assert f"staging_promotion_ledger: '{place}'" in played.report["message"]
    assert "One or more items failed" not in played.files


def test_variables_as_a_survey_passes_them(server: Server, playbook: Playbook) -> None:
    given = {
        "targets": json.dumps([server.target(), server.target(BLOG)]),
        "serial": "1\n100%\n",
        "backup": "",
        "verify_timeout": "",
        "release": "2026.10",
        "windows": json.dumps({"allow": [{"days": "mon-sun"}]}),
    }
    native = playbook.start("--check", environment={"ANSIBLE_JINJA2_NATIVE": "1"}, **given)
    number = playbook.start(**{**given, "release": 2026.10})
    planned, refused = native.finish(), number.finish()
    assert (planned.code, planned.verdict, planned.report["release"]) == (0, "planned", "2026.10"), planned.output
    assert [target["wave"] for target in planned.report["targets"]] == [1, 2]
    assert (refused.code, refused.verdict) == (2, "failed"), refused.output
    assert "staging_promotion_release: 2026.1 is a number and not text. Put the value in quotes" in refused.report["message"]
    assert server.sent() == []


# -- defaults of the play ----------------------------------------------------------------------------------------------


def test_defaults_of_the_play_reach_the_modules(server: Server, playbook: Playbook, tmp_path: Path, ledger: Path) -> None:
    target = server.target()
    connection = {name: target["options"].pop(name) for name in ("api_url", "api_token", "organization")}
    sites = tmp_path / "site.yml"
    role: dict[str, Any] = {"role": "lockstep.sync.staging_promotion"}
    defaults = {
        "group/lockstep.sync.serveravatar": connection,
        "lockstep.sync.serveravatar_staging_sync": {"api_url": "{{ address }}", "if_running": "fail"},
    }
    play = {"hosts": "localhost", "gather_facts": False, "module_defaults": defaults, "vars": {"address": server.url}}
    sites.write_text(json.dumps([{**play, "roles": [role]}]))
    played = playbook(str(sites), targets=[target])
    assert (played.code, played.verdict) == (0, "succeeded"), played.output
    assert (server.syncs(SHOP), server.truth(SHOP)["production"]) == (1, "release-2")
    assert server.token not in played.output + played.files
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        (address,) = {row[0] for row in db.execute("SELECT address FROM promotions")}
    assert address.rstrip("/") == server.url.rstrip("/")


# -- all systems -----------------------------------------------------------------------------------------------------


def test_all_systems_in_the_order_of_the_list(server: Server, playbook: Playbook) -> None:
    crafter, plm = server.simulator["crafter"], server.simulator["plm"]
    login = {"api_url": crafter["url"], "api_token": crafter["api_token"], "site": crafter["site"]}
    quick = {"poll_min_interval": 0.1, "poll_max_interval": 0.3}
    items = ["/site/website/index.xml"]
    targets = [
        {"name": "media", "provider": "plm", "options": {"api_url": plm["url"], **quick}},
        server.target(),
        {"name": "items", "provider": "crafter_publish", "options": {**login, **quick, "target": "live", "items": items}},
        {"name": "branch", "provider": "crafter", "options": {**login, **quick}},
    ]
    first = playbook(targets=targets)
    assert (first.code, first.verdict) == (0, "succeeded"), first.output
    assert [(target["name"], target["verdict"], target["changed"]) for target in first.report["targets"]] == [
        ("media", "succeeded", True),
        (str(SHOP), "succeeded", True),
        ("items", "succeeded", True),
        ("branch", "succeeded", True),
    ]
    sent = server.sent()
    assert [entry.split()[0] for entry in sent] == ["plm", "serveravatar", "serveravatar", "crafter", "crafter"], sent
    second = playbook(targets=targets)
    assert (second.code, second.verdict, second.report["changed"]) == (0, "succeeded", False), second.output
    assert server.sent() == sent


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
