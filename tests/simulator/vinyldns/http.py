# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all endpoints share: the original's kinds of answers, its parameters, and authentication.

Errors of the services are JSON strings; everything that its HTTP library answers by itself, and everything about
authentication, is plain text.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from ..framework import Abort, Call, Handler, json_answer, text_answer
from .access import Denied
from .auth import AuthenticationError, MissingDateError, authenticate
from .backend import Backends
from .directory import Directory
from .engine import Engine
from .json_input import InvalidInput
from .knobs import VinylKnobs
from .model import Json, Zone
from .policy import Policy
from .store import Store
from .users import Caller

MAX_ITEMS = 100
INTERNAL_ERROR = "There was an internal server error."

Endpoint = Callable[[Call, Caller], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Context:
    """What endpoints work with."""

    store: Store
    directory: Directory
    engine: Engine
    backends: Backends
    knobs: VinylKnobs

    @property
    def policy(self) -> Policy:
        return Policy(self.knobs)


def plain(text: str, status: int = 200) -> web.Response:
    answer = text_answer(text, status=status)
    answer.headers["Content-Type"] = "text/plain; charset=UTF-8"  # the charset as the original spells it
    return answer


def quoted(text: str, status: int) -> web.Response:
    """An error as a JSON string."""
    return json_answer(text, status=status)


def refuse(text: str, status: int) -> Abort:
    return Abort(quoted(text, status))


def protected(context: Context, endpoint: Endpoint) -> Handler:
    """Only for signed requests; denials become answers."""

    async def handler(call: Call) -> web.StreamResponse:
        try:
            caller = authenticate(context.directory, call.method, call.raw_path, call.raw_query, call.headers, call.body)
            return await endpoint(call, caller)
        except AuthenticationError as error:
            return plain(error.text, status=error.status)
        except MissingDateError:
            return plain(INTERNAL_ERROR, status=500)
        except Denied as denied:
            return quoted(str(denied), status=403)
        except InvalidInput as problem:
            return json_answer({"errors": problem.errors}, status=400)

    return handler


def integer(call: Call, name: str, default: int) -> int:
    """A query parameter that the HTTP library insists on being an integer."""
    text = call.query.get(name)
    if not text:
        return default
    if not re.fullmatch(r"[+-]?\d+", text) or not -(2**31) <= int(text) < 2**31:
        message = f"The query parameter '{name}' was malformed:\n'{text}' is not a valid 32-bit signed integer value"
        raise Abort(plain(message, status=400))
    return int(text)


def boolean(call: Call, name: str, default: bool) -> bool:
    text = call.query.get(name)
    if text is None:
        return default
    if text.lower() not in ("true", "false", "yes", "no", "on", "off", "1", "0"):
        message = f"The query parameter '{name}' was malformed:\n'{text}' is not a valid Boolean value"
        raise Abort(plain(message, status=400))
    return text.lower() in ("true", "yes", "on", "1")


def required(call: Call, name: str) -> str:
    text = call.query.get(name)
    if text is None:
        raise Abort(plain(f"Request is missing required query parameter '{name}'", status=404))
    return text


def max_items(call: Call, exact: bool = True, limit: int = MAX_ITEMS) -> int:
    """The page size.  Two wordings of the same error are in use."""
    value = integer(call, "maxItems", MAX_ITEMS)
    if not 0 < value <= limit:
        bounds = f"0 exclusive and {limit} inclusive" if exact else f"0 and {limit}"
        raise refuse(f"maxItems was {value}, maxItems must be between {bounds}", 400)
    return value


def find_zone(context: Context, zone_id: str) -> Zone:
    zone = context.store.zone(zone_id)
    if zone is None:
        raise refuse(f"Zone with id {zone_id} does not exists", 404)
    return zone


def body_object(call: Call) -> Json:
    """The body as a JSON object."""
    try:
        data = call.json()
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Abort(json_answer({"errors": ["Failed to parse JSON"]}, status=400))
    return data


def like(pattern: str) -> str:
    """The wildcard of the API is that of SQL; SQL's own are not escaped, as in the original."""
    return pattern.replace("*", "%")
