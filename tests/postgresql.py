# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PostgreSQL servers for tests: each has a cluster of its own in a temporary folder, and listens on loopback."""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import typing as t

import psycopg

USER = "lockstep"
#: no power fails in these tests
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_wal_size": "32MB",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "lc_messages": "C",
}


def programs() -> pathlib.Path:
    """The folder with ``initdb`` and ``postgres``: that of the newest release."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which("initdb")
    assert path is not None, "PostgreSQL is missing, see scripts/install-postgresql"
    return pathlib.Path(path).parent


def as_server(command: t.Sequence[str]) -> list[str]:
    """A command as another user where this is root, as whom PostgreSQL does not run."""
    if os.geteuid():
        return list(command)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


def on_small_disk(command: t.Sequence[str], directory: pathlib.Path, size: str) -> list[str]:
    """A command of the server that has a file system of a few megabytes in a directory. Nothing else sees that."""
    root = not os.geteuid()
    mount = 'mount -t tmpfs -o "size=$1,uid=$2,gid=$3,mode=0700" tmpfs "$0" && shift 3 && exec "$@"'
    user, group = (pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid) if root else (0, 0)
    # mounting takes root, if only in a user namespace, and PostgreSQL refuses to be root there
    namespace = ["unshare", "--mount", *([] if root else ["--user", "--map-root-user"])]
    inner = [] if root else ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return [*namespace, "sh", "-c", mount, str(directory), size, str(user), str(group), *inner, *command]


class Cluster:
    """A server that runs until :meth:`remove`.

    :param settings: of ``postgresql.conf``, beyond those that all have.
    :param authentication: the method of ``pg_hba.conf`` for everything.
    :param tls: the files of its certificate and of the key.
    :param disk: the size of a file system for the directory ``disk`` that it shall have, such as ``20m``.
    """

    def __init__(
        self, authentication: str = "trust", tls: tuple[str, str] | None = None, disk: str = "", **settings: str
    ) -> None:
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-postgresql-"))
        self.data = self.directory / "data"
        if not os.geteuid():
            shutil.chown(self.directory, "postgres", "postgres")
        password = self.directory / "password"
        password.write_text("superuser\n")
        password.chmod(0o644)
        options = ["--auth", authentication, "--pwfile", str(password), "--wal-segsize", "1", "--locale", "C", "-E", "UTF8", "-N"]
        self._run("initdb", "-D", str(self.data), "-U", USER, *options)
        self.disk = self.directory / "disk"
        self.disk.mkdir()
        self._size = disk
        self.port = unused_port()
        if tls is not None:
            settings.update(ssl="on", ssl_cert_file=self._own(tls[0]), ssl_key_file=self._own(tls[1]))
        self._settings = {**SETTINGS, "port": str(self.port), **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0
        #: of what follows, as a test may have several threads
        self._lock = threading.Lock()
        self._clean: list[str] = []
        self._used: list[str] = []
        self.start()

    def start(self) -> None:
        command = [str(programs() / "postgres"), "-D", str(self.data)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        command = as_server(command)
        if self._size:
            command = on_small_disk(command, self.disk, self._size)
        with open(self.directory / "log", "ab") as log:
            self._process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log)
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.address("postgres"), password="superuser").close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < until and self._process.poll() is None, self.log()
                time.sleep(0.02)

    def stop(self) -> None:
        """End all connections, and then the server."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)

    def crash(self) -> None:
        """End everything at once; what was committed is recovered when it starts again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(60)

    def pause(self, paused: bool) -> None:
        """Have no process of the server answer anything, or go on."""
        assert self._process is not None
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in (self._process.pid, *map(int, children)):
            # one that served a connection may have ended meanwhile
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGSTOP if paused else signal.SIGCONT)

    def remove(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        shutil.rmtree(self.directory)

    def address(self, database: str, user: str = USER, port: int = 0) -> str:
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.address(database), password="superuser", autocommit=True)

    def new_database(self) -> str:
        """The name of an empty database."""
        with self._lock:
            if not self._clean:
                self._count += 1
                with contextlib.closing(self.connect()) as db:
                    db.execute(f"CREATE DATABASE ledger{self._count}".encode())
                self._clean.append(f"ledger{self._count}")
            self._used.append(self._clean.pop())
            return self._used[-1]

    def recycle(self) -> None:
        """Empty all databases that were given away, which takes a tenth of the time that it takes to create one."""
        while self._used:
            name = self._used.pop()
            with contextlib.closing(self.connect(name)) as db:
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                    (name,),
                )
                db.execute("DROP SCHEMA IF EXISTS lockstep CASCADE")
            self._clean.append(name)

    def drop(self, name: str) -> None:
        """Have a database that was given away be gone, with what it takes on the disk."""
        with self._lock, contextlib.closing(self.connect()) as db:
            self._used.remove(name)
            db.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def log(self) -> str:
        return (self.directory / "log").read_text()

    def _own(self, file: str) -> str:
        """A copy of a file that only the server may read."""
        copy = self.directory / pathlib.Path(file).name
        shutil.copy(file, copy)
        copy.chmod(0o600)
        if not os.geteuid():
            shutil.chown(copy, "postgres", "postgres")
        return str(copy)

    def _run(self, program: str, *arguments: str) -> None:
        command = as_server([str(programs() / program), *arguments])
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def unused_port() -> int:
    """A TCP port on loopback."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
