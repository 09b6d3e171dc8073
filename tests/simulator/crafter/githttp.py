# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published repositories over HTTP, read only, on a port of their own: ``git ls-remote`` and ``git fetch``.

Paths on this machine work just as well; this is for clients on other machines, such as delivery nodes.
"""

from __future__ import annotations

import asyncio
import gzip
import subprocess
from pathlib import Path

from aiohttp import web

from ..framework import OBSERVE, Abort, Call, Route, text_answer
from .git import git_environment
from .studio import Studio

PORT = "git"
NO_CACHE = {"Cache-Control": "no-cache"}
SERVICE = "git-upload-pack"


class GitOverHttp:
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def routes(self) -> list[Route]:
        base = "/{site}/published"
        return [
            Route("GET", base + "/info/refs", self.advertise, port=PORT),
            Route("POST", f"{base}/{SERVICE}", self.upload, kind=OBSERVE, port=PORT),  # reads, whatever its name says
        ]

    async def advertise(self, call: Call) -> web.Response:
        repository = self._repository(call)
        if call.query.get("service") != SERVICE:
            return text_answer("Only reading is possible.", status=403)
        refs = await self._run(call, repository, "--http-backend-info-refs")
        line = f"# service={SERVICE}\n"
        announced = f"{len(line) + 4:04x}{line}0000".encode() if "Git-Protocol" not in call.headers else b""
        return web.Response(body=announced + refs, content_type=f"application/x-{SERVICE}-advertisement", headers=NO_CACHE)

    async def upload(self, call: Call) -> web.Response:
        # git packs big requests; whether the server has unpacked this one shows in its first bytes.
        given = gzip.decompress(call.body) if call.body.startswith(b"\x1f\x8b") else call.body
        answer = await self._run(call, self._repository(call), given=given)
        return web.Response(body=answer, content_type=f"application/x-{SERVICE}-result", headers=NO_CACHE)

    def _repository(self, call: Call) -> Path:
        site = self._studio.sites.get(call.params["site"])
        if site is None or not self._studio.repository(site).exists:
            raise Abort(text_answer("Not Found", status=404))
        return self._studio.repository(site).path

    async def _run(self, call: Call, repository: Path, *options: str, given: bytes = b"") -> bytes:
        command = ["git", "upload-pack", "--stateless-rpc", *options, "."]
        environment = git_environment(repository) | {"GIT_PROTOCOL": call.headers.get("Git-Protocol", "")}
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=repository, env=environment, input=given, capture_output=True, check=False
        )
        return bytes(done.stdout)
