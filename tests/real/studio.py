# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Crafter Studio on loopback: its database, a stand-in for its deployer, and Tomcat, all below one folder.

How it has to be set up is in docs/reference/crafter.md, section 10.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from .downloads import Installation, install

MANAGEMENT_TOKEN = "defaultManagementToken"
DATABASE_PASSWORD = "crafter"
START_SECONDS = 300
STOP_SECONDS = 15

SERVER_XML = """\
<Server port="-1">
  <Service name="Catalina">
    <Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1" maxThreads="50" />
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="none" autoDeploy="false">
        <Context path="/studio" docBase="{webapp}">
          <JarScanner><JarScanFilter defaultTldScan="false" defaultPluggabilityScan="false" /></JarScanner>
        </Context>
        <Valve className="org.apache.catalina.valves.AccessLogValve" directory="{logs}" prefix="access" suffix=".log"
               rotatable="false" buffered="false" pattern="%m %U%q %s %{{User-Agent}}i" />
      </Host>
    </Engine>
  </Service>
</Server>
"""

OVERRIDE_YAML = """\
studio.db.url: jdbc:mariadb://127.0.0.1:{database}/crafter?user=crafter&password={password}
studio.db.initializer.url: jdbc:mariadb://127.0.0.1:{database}?user=root
studio.preview.createTargetUrl: http://127.0.0.1:{deployer}/api/1/target/create_if_not_exists
studio.preview.defaultPreviewDeployerUrl: http://127.0.0.1:{deployer}/api/1/target/deploy/preview/{{siteName}}
studio.preview.deleteTargetUrl: http://127.0.0.1:{deployer}/api/1/target/delete-if-exists/preview/{{siteName}}
studio.configuration.site.preview.destroy.context.url: http://127.0.0.1:{deployer}/destroy/{{siteName}}
studio.security.http.basic.enabled: true
studio.clockJob.frequency: 500
studio.clockJob.task.publisher.executeEveryNCycles: 1
"""


class StudioError(Exception):
    """The server did not start; the text has the end of its log."""


class RealStudio:
    """A running server.

    :ivar url: address of the API, with the context path.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}/studio"

    def repository(self, site: str) -> Path:
        """The published git repository of a site."""
        return self.folder / "data" / "repos" / "sites" / site / "published"

    def access_log(self) -> list[tuple[str, str, int, str]]:
        """Method, path with query, status and user agent of every request that was answered, in order."""
        lines = (self.folder / "logs" / "access.log").read_text().splitlines()
        found = [re.fullmatch(r"(\S+) (\S+) (\d+) (.*)", line) for line in lines]
        return [(match[1], match[2], int(match[3]), match[4]) for match in found if match]


@contextlib.contextmanager
def start(folder: Path) -> Iterator[RealStudio]:
    """Download what is missing, start everything, and stop it in the end.

    :param folder: an empty folder for all that is written.
    :raises StudioError: the server did not start.
    """
    installed = install()
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(_database(installed, folder / "db"))
        deployer = stack.enter_context(_deployer())
        yield stack.enter_context(_tomcat(installed, folder, database, deployer))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _process(command: list[str | Path], env: dict[str, str], log: Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process with its output in a file, stopped by its own id."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-40:])


@contextlib.contextmanager
def _database(installed: Installation, folder: Path) -> Iterator[int]:
    """The MariaDB that comes with Crafter Studio; its port."""
    base, port = installed.database, free_port()
    folder.mkdir(parents=True)
    as_root = ["--user=root"] if os.getuid() == 0 else []
    install_db: list[str | Path] = [base / "scripts" / "mysql_install_db", "--no-defaults", f"--basedir={base}"]
    install_db += [
        f"--datadir={folder / 'data'}",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
        "--force",
        *as_root,
    ]
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(install_db, env=env, cwd=base, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StudioError(f"mysql_install_db failed:\n{done.stdout}{done.stderr}")
    server: list[str | Path] = [base / "bin" / "mysqld", "--no-defaults", f"--basedir={base}", f"--datadir={folder / 'data'}"]
    server += [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", "--max_allowed_packet=128M"]
    server += [f"--lc-messages-dir={base / 'share'}", "--innodb-flush-log-at-trx-commit=0", *as_root]
    with _process(server, env, folder / "log", base) as process:
        _wait_for_port(process, port, folder / "log")
        yield port


def _wait_for_port(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise StudioError(f"nothing listens on port {port}:\n{_tail(log)}")


class _AnyAnswer(http.server.BaseHTTPRequestHandler):
    """Accepts whatever a deployer is asked for."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"message": "OK"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on standard error."""


@contextlib.contextmanager
def _deployer() -> Iterator[int]:
    """What Studio takes for its deployer; its port. Without one, no site can be made."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _AnyAnswer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def _tomcat(installed: Installation, folder: Path, database: int, deployer: int) -> Iterator[RealStudio]:
    port = free_port()
    home = folder / "home"
    _configure(installed, folder, port, database, deployer)
    java = shutil.which("java") or "java"
    classes = ":".join(str(installed.tomcat / "bin" / name) for name in ("bootstrap.jar", "tomcat-juli.jar"))
    command: list[str | Path] = [
        java,
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xmx768m",
        "-Dspring.profiles.active=crafter.studio.externalDb",
    ]
    command += [f"-Dcatalina.home={installed.tomcat}", f"-Dcatalina.base={folder}", f"-Djava.io.tmpdir={folder / 'temp'}"]
    command += [f"-Dcrafter.home={folder}", f"-Dcrafter.bin.dir={folder / 'bin'}", f"-Duser.home={home}"]
    command += [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in ("java.lang", "java.util", "java.io", "java.net")]
    command += ["-classpath", classes, "org.apache.catalina.startup.Bootstrap", "start"]
    with _process(command, _environment(folder, home), folder / "studio.log", folder) as process:
        studio = RealStudio(folder, port)
        _wait_for_studio(process, studio, folder / "studio.log")
        yield studio


def _configure(installed: Installation, folder: Path, port: int, database: int, deployer: int) -> None:
    for name in ("bin", "conf", "data", "home", "logs", "temp", "work", "webapps"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("web.xml", "catalina.policy"):
        shutil.copy(installed.tomcat / "conf" / name, folder / "conf" / name)
    properties = (installed.tomcat / "conf" / "catalina.properties").read_text()
    loader = "shared.loader=${catalina.base}/shared/classes"
    (folder / "conf" / "catalina.properties").write_text(re.sub(r"^shared\.loader=.*$", loader, properties, flags=re.MULTILINE))
    (folder / "conf" / "server.xml").write_text(SERVER_XML.format(port=port, webapp=installed.webapp, logs=folder / "logs"))
    extension = folder / "shared" / "classes" / "crafter" / "studio" / "extension"
    extension.mkdir(parents=True)
    ports = {"database": database, "deployer": deployer, "password": DATABASE_PASSWORD}
    (extension / "studio-config-override.yaml").write_text(OVERRIDE_YAML.format(**ports))
    # without an identity, git commits nothing and Studio answers 200 all the same
    (folder / "home" / ".gitconfig").write_text(
        "[user]\n\tname = Studio\n\temail = studio@example.com\n[safe]\n\tdirectory = *\n"
    )


def _environment(folder: Path, home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "CRAFTER_HOME": str(folder),
        "CRAFTER_DATA_DIR": str(folder / "data"),
        "CRAFTER_LOGS_DIR": str(folder / "logs"),
        "MARIADB_USER": "crafter",
        "MARIADB_PASSWD": DATABASE_PASSWORD,
        "MARIADB_ROOT_PASSWD": "",
        "ENGINE_MANAGEMENT_TOKEN": MANAGEMENT_TOKEN,
    }


def _wait_for_studio(process: subprocess.Popen[bytes], studio: RealStudio, log: Path) -> None:
    address = f"{studio.url}/api/2/monitoring/version?token={MANAGEMENT_TOKEN}"
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if requests.get(address, timeout=10).status_code == 200:
                return
        time.sleep(0.5)
    raise StudioError(f"Crafter Studio does not answer:\n{_tail(log)}")
