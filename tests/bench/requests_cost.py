# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a request costs this process, without what it costs the server, which is another process.

``python -m tests.bench.requests_cost`` prints the milliseconds of processor time of each way to send a GET, in one run.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import requests
import urllib3

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.deadline import Deadline
from ansible_collections.lockstep.sync.plugins.module_utils._core.redact import Redactor
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import Channel, HttpClient, HttpSettings, RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._providers.vinyldns.signing import AccessKey, SigningAuth

PATH = "/zones/6d1c9a55-8f5b-4b8e-9d53-2f7b9e4c0a11"
ZONE = {
    "zone": {
        "id": PATH[-36:],
        "name": "example.com.",
        "email": "hostmaster@example.com",
        "status": "Active",
        "created": "2026-11-19T08:00:00Z",
        "latestSync": "2026-11-20T10:11:12Z",
        "adminGroupId": "5f5b2d0e-6f7f-4f5c-8d9c-0c8a6a5b4c3d",
        "accessLevel": "Delete",
    }
}
BODY = json.dumps(ZONE).encode()
RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: akka-http/10.2\r\nDate: Fri, 20 Nov 2026 10:00:05 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY

#: requests of which the processor time is divided; the least of so many rounds counts, as others use the processor's caches, too
REQUESTS, ROUNDS = 1000, 5


def _serve(listener: socket.socket) -> None:
    """Answer every request on every connection with the same response."""

    def answer(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b""
        with contextlib.suppress(OSError):
            while piece := sock.recv(65536):
                data += piece
                while b"\r\n\r\n" in data:
                    data = data.partition(b"\r\n\r\n")[2]
                    sock.sendall(RESPONSE)
        sock.close()

    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a server in another process."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        process = multiprocessing.get_context("fork").Process(target=_serve, args=(listener,), daemon=True)
        process.start()
        try:
            yield "http://{}:{}".format(*listener.getsockname())
        finally:
            process.terminate()
            process.join()


def processor_ms(work: Callable[[], object], times: int = REQUESTS) -> float:
    """Milliseconds of processor time (user and system) that this process needs for ``work``, once."""
    found = []
    for _round in range(ROUNDS):
        work()
        before = resource.getrusage(resource.RUSAGE_SELF)
        for _time in range(times):
            work()
        after = resource.getrusage(resource.RUSAGE_SELF)
        found.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return round(min(found) / times * 1000, 4)


@contextlib.contextmanager
def _channel(url: str, auth: Any = None) -> Iterator[Channel]:
    clock = SystemClock()
    client = HttpClient(HttpSettings(url), clock, Redactor(), auth, rng=random.Random(1))
    yield client.channel(Deadline(clock, 3600), RequestCount())
    client.close()


def measure() -> dict[str, float]:
    """Milliseconds of processor time for a GET, by the way in which it is sent, and for what comes on top."""
    costs: dict[str, float] = {}
    credentials = AccessKey("access", "secret")
    with server() as url, requests.Session() as session, urllib3.PoolManager() as pools, _channel(url) as channel:
        costs["urllib3"] = processor_ms(lambda: pools.request("GET", url + PATH).data)
        costs["requests.Session"] = processor_ms(lambda: session.get(url + PATH).content)
        costs["Channel.observe"] = processor_ms(lambda: channel.observe(PATH))
        channel.keeps_connections = True
        costs["Channel.trigger, kept"] = processor_ms(lambda: channel.trigger("POST", f"{PATH}/sync"))
        channel.keeps_connections = False
        costs["Channel.trigger, new"] = processor_ms(lambda: channel.trigger("POST", f"{PATH}/sync"), REQUESTS // 5)
        with _channel(url, SigningAuth(credentials, SystemClock())) as signed:
            costs["signing (VinylDNS)"] = round(processor_ms(lambda: signed.observe(PATH)) - costs["Channel.observe"], 4)
        response = channel.observe(PATH)
        costs["JSON"] = processor_ms(response.json)
    return costs


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
