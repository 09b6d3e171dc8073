# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Headless Chromium by its DevTools protocol: as much of it as the tests of the report pages need."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import websocket

#: what the browser is called by the packages of several distributions
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

#: seconds within which the browser has to answer
PATIENCE = 60

ARGUMENTS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-crash-reporter",
    "--metrics-recording-only",
    "--no-proxy-server",
    # no name has an address: pages are files, and nothing else is to be loaded
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "about:blank",
)


class Picture:
    """A PNG file as browsers write it: eight bits a channel, not interlaced."""

    def __init__(self, png: bytes) -> None:
        assert png.startswith(b"\x89PNG\r\n\x1a\n")
        chunks: list[tuple[bytes, bytes]] = []
        rest = png[8:]
        while rest:
            (length,) = struct.unpack(">I", rest[:4])
            chunks.append((rest[4:8], rest[8 : 8 + length]))
            rest = rest[12 + length :]
        self.width, self.height, depth, kind, *dummy, interlaced = struct.unpack(">IIBBBBB", dict(chunks)[b"IHDR"])
        assert (depth, interlaced) == (8, 0)
        self._channels = {2: 3, 6: 4}[kind]
        data = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
        stride = self.width * self._channels
        self._rows: list[bytearray] = []
        for start in range(0, len(data), stride + 1):
            above = self._rows[-1] if self._rows else bytearray(stride)
            self._rows.append(self._unfiltered(data[start], bytearray(data[start + 1 : start + 1 + stride]), above))

    def _unfiltered(self, kind: int, row: bytearray, above: bytearray) -> bytearray:
        if kind == 0:
            return row
        if kind == 2:
            return bytearray((one + other) & 255 for one, other in zip(row, above, strict=True))
        step = self._channels
        for index, value in enumerate(row):
            left, corner = (row[index - step], above[index - step]) if index >= step else (0, 0)
            row[index] = (value + _predicted(kind, left, above[index], corner)) & 255
        return row

    def colour(self, x: int, y: int) -> str:
        """Of one pixel, as ``#rrggbb``."""
        return "#" + self._rows[y][x * self._channels :][:3].hex()

    def colours(self, left: int, top: int, right: int, bottom: int) -> dict[str, float]:
        """The colours of a region, with their shares of it."""
        found = [self.colour(x, y) for y in range(top, bottom) for x in range(left, right)]
        return {colour: found.count(colour) / len(found) for colour in set(found)}


def _predicted(kind: int, left: int, above: int, corner: int) -> int:
    """What a filter of PNG expects a byte to be."""
    if kind == 1:
        return left
    if kind == 3:
        return (left + above) // 2
    # the nearest to left + above - corner, in this order
    by_left, by_above, by_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    if by_left <= by_above and by_left <= by_corner:
        return left
    return above if by_above <= by_corner else corner


class Browser:
    """A running browser, with one page.

    Attributes:
        requested: addresses that the page asked for.
        complaints: what the browser logged, such as violations of the page's own policy.
    """

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=PATIENCE, suppress_origin=True)
        self._last = 0
        self._session = ""
        self.requested: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def close(self) -> None:
        self._socket.close()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something, and return what it says of it."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        self._socket.send(json.dumps({**message, "sessionId": self._session} if self._session else message))
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv())
        parameters = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])
        elif message.get("method") == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        return message

    def look(self, width: int, height: int, scheme: str, media: str = "screen") -> None:
        """Be a screen of this size, of somebody who prefers ``light`` or ``dark``."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, path: Path) -> None:
        """Open a file, and wait until it is there."""
        self.requested.clear()
        self.complaints.clear()
        answer = self.call("Page.navigate", url=path.as_uri())
        assert "errorText" not in answer, answer
        while self._receive().get("method") != "Page.loadEventFired":
            pass

    def until(self, expression: str) -> None:
        """Wait for a condition that scripts of the page bring about, which may still be at work when it is there."""
        deadline = time.monotonic() + 60
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, expression
            time.sleep(0.02)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def click(self, selector: str) -> None:
        """Click on the first element that the selector finds, as a mouse does."""
        where = f"document.querySelector({json.dumps(selector)})"
        self.evaluate(f"{where}.scrollIntoView({{block: 'center'}})")
        spot = self.evaluate(f"(box => ({{x: box.x + 5, y: box.y + box.height / 2}}))({where}.getBoundingClientRect())")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **spot)

    def screenshot(self, whole: bool = False) -> bytes:
        """What is seen, or the whole page, as PNG."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def pixels(self) -> Picture:
        """What is seen."""
        return Picture(self.screenshot())


def executable() -> str:
    """Path of the browser. Without one the tests fail with a message that says how to install it."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, (
        f"the tests of the report pages need Chromium; none of {', '.join(NAMES)} was found. See scripts/install-chromium"
    )
    return found


@contextlib.contextmanager
def running(profile: Path) -> Iterator[Browser]:
    """A browser with a fresh profile in this folder, which ends with the block."""
    # it leaves a socket in the directory for temporary files, whose path must be short: that of the profile may not be
    with tempfile.TemporaryDirectory(prefix="lockstep-", ignore_cleanup_errors=True) as temporary:
        # what it would keep elsewhere goes into the profile too
        env = {"PATH": os.environ["PATH"], "HOME": str(profile), "TMPDIR": temporary, "LC_ALL": "C.UTF-8"}
        with _started(profile, env) as browser:
            yield browser


@contextlib.contextmanager
def _started(profile: Path, env: dict[str, str]) -> Iterator[Browser]:
    # its sandbox does not work for root
    privileged = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [executable(), f"--user-data-dir={profile}", *privileged, *ARGUMENTS]
    process = subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    drain = None
    try:
        address = _address(process.stderr)
        # a full pipe would stop it
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        with contextlib.closing(Browser(address)) as browser:
            yield browser
    finally:
        # its helpers are of its group, and keep files of the profile open
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if drain:
            drain.join()
        process.stderr.close()


def _address(output: IO[str]) -> str:
    """Where the browser listens, on a port of its own choice on the loopback interface."""
    said = []
    for line in output:
        said.append(line)
        dummy, found, address = line.partition("DevTools listening on ")
        if found:
            return address.strip()
    raise AssertionError(f"Chromium ended before it listened: {''.join(said)}")
