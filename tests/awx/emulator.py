# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small emulator of the REST API of AWX, for ``awx.awx``: lists in pages, objects, associations, surveys, approval nodes.

It is no AWX: it has no permissions, and runs no jobs. What is launched, as ansible-rulebook does it, is a job that stays pending
until a test gives it another status. What it refuses is in ``rules.py``. It was written from the code of AWX
24.6.1, and from what a real AWX was seen to do.
"""

from __future__ import annotations

import copy
import http.server
import json
import re
import threading
import urllib.parse
from types import TracebackType
from typing import Any, Self

from . import rules
from .rules import Item, Refusal

TOKEN = "emulated-token"
#: smaller than that of AWX, so that a client meets a second page
PAGE_SIZE = 2

KINDS = {
    "organizations": "organization",
    "projects": "project",
    "inventories": "inventory",
    "execution_environments": "execution_environment",
    "credential_types": "credential_type",
    "credentials": "credential",
    "notification_templates": "notification_template",
    "job_templates": "job_template",
    "workflow_job_templates": "workflow_job_template",
    "workflow_job_template_nodes": "workflow_job_template_node",
    "workflow_approval_templates": "workflow_approval_template",
    "schedules": "schedule",
    "jobs": "job",
}
#: what a workflow or a schedule can start
STARTABLE = ("projects", "job_templates", "workflow_job_templates", "workflow_approval_templates")

#: the lists of an object that other objects can be added to, and where those are
ASSOCIATIONS = {
    "credentials": "credentials",
    "notification_templates_started": "notification_templates",
    "notification_templates_success": "notification_templates",
    "notification_templates_error": "notification_templates",
    "notification_templates_approvals": "notification_templates",
    "success_nodes": "workflow_job_template_nodes",
    "failure_nodes": "workflow_job_template_nodes",
    "always_nodes": "workflow_job_template_nodes",
}
LISTS_OF = {
    "job_templates": (
        "credentials",
        "notification_templates_started",
        "notification_templates_success",
        "notification_templates_error",
    ),
    "workflow_job_templates": tuple(name for name in ASSOCIATIONS if name.startswith("notification")),
    "workflow_job_template_nodes": ("success_nodes", "failure_nodes", "always_nodes", "credentials"),
}
#: what AWX adds to an object that is made without it
DEFAULTS: dict[str, Item] = {
    "projects": {"scm_type": "", "scm_revision": "", "playbooks": ["reconcile_dns.yml", "promote_staging.yml"]},
    "inventories": {"kind": "", "host_filter": None},
    "job_templates": {
        "survey_spec": {},
        "survey_enabled": False,
        "inventory": None,
        **{f"ask_{name}_on_launch": False for name in ("variables", "limit", "labels", "inventory")},
    },
    "workflow_job_templates": {"survey_spec": {}, "survey_enabled": False},
    "workflow_job_template_nodes": {"unified_job_template": None},
    "workflow_approval_templates": {"timeout": 0, "description": ""},
    "schedules": {"extra_data": {}},
}


class Refused(Exception):
    """An answer that is not one of success."""

    def __init__(self, status: int, body: object) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class AwxEmulator:
    """The server, in a thread of this process.

    :ivar calls: method and path of every request that was answered, in order.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.objects: dict[str, dict[int, Item]] = {kind: {} for kind in KINDS}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self._last = 0
        self._lock = threading.Lock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self.add("organizations", {"name": "Default"})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def mutations(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] != "GET"]

    def named(self, kind: str, name: str) -> Item:
        (found,) = (item for item in self.objects[kind].values() if item.get("name", item.get("identifier")) == name)
        return found

    def linked(self, kind: str, item: Item, name: str) -> list[str]:
        """The names in a list of an object."""
        other = self.objects[ASSOCIATIONS[name]]
        linked = self.links.get((kind, item["id"], name), [])
        return sorted(other[number].get("name") or other[number]["identifier"] for number in linked)

    def add(self, kind: str, item: Item) -> Item:
        self._last += 1
        number = self._last
        added = {**copy.deepcopy(DEFAULTS.get(kind, {})), **item, "id": number, "type": KINDS[kind]}
        added["url"] = f"/api/v2/{kind}/{number}/"
        added["related"] = {name: f"{added['url']}{name}/" for name in LISTS_OF.get(kind, ())}
        added["summary_fields"] = {}
        if "survey_spec" in added:
            added["related"]["survey_spec"] = f"{added['url']}survey_spec/"
        if kind == "job_templates":
            added["related"]["launch"] = f"{added['url']}launch/"
        self.objects[kind][number] = added
        return added

    def answer(self, method: str, target: str, token: str, body: Item) -> tuple[int, object]:
        """Status and body for a request."""
        address = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(address.query))
        with self._lock:
            self.calls.append((method, address.path))
            try:
                if token != f"Bearer {TOKEN}":
                    raise Refused(401, {"detail": "Authentication credentials were not provided."})
                return self._route(method, address.path, query, body)
            except Refused as refused:
                return refused.status, refused.body

    def _route(self, method: str, path: str, query: dict[str, str], body: Item) -> tuple[int, object]:
        if (method, path) == ("GET", "/api/v2/config/"):
            return 200, {"version": "24.6.1"}
        found = re.fullmatch(r"/api/v2/(\w+)/(?:(\d+)/)?(?:(\w+)/)?", path)
        if not found or found[1] not in (*KINDS, "unified_job_templates"):
            raise Refused(404, {"detail": "The requested resource could not be found."})
        kind, number, part = found[1], found[2], found[3]
        if number is None:
            return self._collection(method, kind, path, query, body)
        item = self.objects.get(kind, {}).get(int(number))
        if item is None:
            raise Refused(404, {"detail": "Not found."})
        if part is None:
            return self._object(method, kind, item, body)
        if part == "survey_spec" and "survey_spec" in item:
            return self._survey(method, item, body)
        if part == "launch" and kind == "job_templates":
            return self._launch(method, item, body)
        if part == "create_approval_template" and kind == "workflow_job_template_nodes":
            return self._approval(method, item, body)
        if part in LISTS_OF.get(kind, ()):
            return self._association(method, path, query, (kind, item["id"], part), body)
        raise Refused(404, {"detail": "The requested resource could not be found."})

    def _collection(self, method: str, kind: str, path: str, query: dict[str, str], body: Item) -> tuple[int, object]:
        if method == "POST" and kind in KINDS and kind != "jobs":
            wanted = {**copy.deepcopy(DEFAULTS.get(kind, {})), **body}
            self._check(kind, wanted, None)
            return 201, self._shown(self.add(kind, wanted))
        if method != "GET":
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        kinds = STARTABLE if kind == "unified_job_templates" else (kind,)
        items = [item for each in kinds for item in self.objects[each].values() if _matches(item, query)]
        return 200, self._page(path, query, items)

    def _page(self, path: str, query: dict[str, str], items: list[Item]) -> Item:
        number = int(query.get("page", "1"))
        following = urllib.parse.urlencode({**query, "page": number + 1})
        return {
            "count": len(items),
            "next": f"{path}?{following}" if number * PAGE_SIZE < len(items) else None,
            "previous": None,
            "results": [self._shown(item) for item in items[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]],
        }

    def _object(self, method: str, kind: str, item: Item, body: Item) -> tuple[int, object]:
        if method == "PATCH":
            wanted = {**copy.deepcopy(item), **body}
            self._check(kind, wanted, item["id"])
            # secrets that are sent as they are shown stay as they are
            for name, value in wanted.get("inputs", {}).items() if kind == "credentials" else ():
                if value == "$encrypted$":
                    wanted["inputs"][name] = item["inputs"][name]
            item.update({key: wanted[key] for key in wanted if key not in ("id", "url", "type", "related", "survey_spec")})
        elif method != "GET":
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        return 200, self._shown(item)

    def _survey(self, method: str, item: Item, body: Item) -> tuple[int, object]:
        if method == "POST":
            problem = rules.survey(body)
            if problem:
                raise Refused(400, {"error": problem})
            item["survey_spec"] = body
            return 200, {}
        return 200, item["survey_spec"]

    def _launch(self, method: str, template: Item, body: Item) -> tuple[int, object]:
        """A job with the variables that AWX accepts; what the template does not ask for is ignored."""
        if method != "POST":
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        accepted, ignored, refusal = rules.launch(template, body.get("extra_vars", {}))
        if refusal:
            raise Refused(400, refusal)
        prompts = {name: value for name, value in body.items() if name != "extra_vars"}
        ignored = {**{name: value for name, value in prompts.items() if not template.get(f"ask_{name}_on_launch")}, **ignored}
        job = self.add("jobs", {"name": template["name"], "status": "pending", "created": "", "extra_vars": accepted})
        return 201, {**self._shown(job), "job": job["id"], "ignored_fields": ignored}

    def _approval(self, method: str, node: Item, body: Item) -> tuple[int, object]:
        if method != "POST":
            raise Refused(405, {"detail": f'Method "{method}" not allowed.'})
        template = self.add("workflow_approval_templates", body)
        node["unified_job_template"] = template["id"]
        return 201, self._shown(template)

    def _association(
        self, method: str, path: str, query: dict[str, str], key: tuple[str, int, str], body: Item
    ) -> tuple[int, object]:
        linked = self.links.setdefault(key, [])
        others = self.objects[ASSOCIATIONS[key[2]]]
        if method == "GET":
            return 200, self._page(path, query, [others[number] for number in linked])
        number = body["id"]
        if number not in others:
            raise Refused(400, {"detail": "There is no such object."})
        if body.get("disassociate"):
            linked.remove(number)
            return 204, None
        if key[2] == "credentials":
            kinds = {others[each]["credential_type"] for each in linked}
            if others[number]["credential_type"] in kinds:
                raise Refused(400, {"error": "Cannot assign multiple credentials of one type."})
        linked.append(number)
        return 204, None

    def _check(self, kind: str, wanted: Item, number: int | None) -> None:
        same = [
            item
            for item in self.objects[kind].values()
            if item["id"] != number
            and item.get("name") == wanted.get("name")
            and all(item.get(key) == wanted.get(key) for key in ("identifier", "workflow_job_template", "credential_type"))
        ]
        if same:
            raise Refused(400, {"__all__": [f"{KINDS[kind]} with this name already exists."]})
        refusal = self._rule(kind, wanted)
        if refusal:
            raise Refused(400, refusal)

    def _rule(self, kind: str, wanted: Item) -> Refusal | None:
        if kind == "credential_types":
            return rules.credential_type(wanted)
        if kind == "credentials":
            return rules.credential(wanted, self.objects["credential_types"][wanted["credential_type"]])
        if kind == "notification_templates":
            return rules.notification(wanted)
        if kind == "job_templates":
            return rules.job_template(wanted, self.objects["projects"].get(wanted.get("project", 0)))
        if kind == "schedules":
            return rules.schedule(wanted, self._startable(wanted["unified_job_template"]))
        return None

    def _startable(self, number: int) -> Item:
        return next(self.objects[kind][number] for kind in STARTABLE if number in self.objects[kind])

    def _shown(self, item: Item) -> Item:
        shown = copy.deepcopy(item)
        if item["type"] == "workflow_job_template_node" and item["unified_job_template"]:
            shown["related"]["unified_job_template"] = self._startable(item["unified_job_template"])["url"]
        if item["type"] == "credential":
            fields = self.objects["credential_types"][item["credential_type"]]["inputs"]["fields"]
            for field in fields:
                if field.get("secret") and shown.get("inputs", {}).get(field["id"]):
                    shown["inputs"][field["id"]] = "$encrypted$"
        if item["type"] == "job_template":
            project = self.objects["projects"][item["project"]]
            organization = self.objects["organizations"].get(project.get("organization") or 0)
            shown["summary_fields"]["organization"] = {"name": organization["name"]} if organization else {}
        shown.pop("survey_spec", None)
        return shown


def _matches(item: Item, query: dict[str, str]) -> bool:
    if "id__in" in query and str(item["id"]) not in query["id__in"].split(","):
        return False
    others = ("page", "page_size", "id__in")
    wanted = {key: value for key, value in query.items() if key not in others and not key.startswith("or__")}
    either = [str(item.get(key.removeprefix("or__"))) == value for key, value in query.items() if key.startswith("or__")]
    return all(str(item.get(key)) == value for key, value in wanted.items()) and (not either or any(either))


def _handler(emulator: AwxEmulator) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body: Any = json.loads(self.rfile.read(length)) if length else {}
            status, content = emulator.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            data = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", "24.6.1")
            self.send_header("Server", "emulator of AWX, for tests only")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal."""

    return Handler
