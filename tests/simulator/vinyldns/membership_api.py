# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of groups and users."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiohttp import web

from ..framework import Abort, Call, Route, json_answer
from .access import Denied
from .groups import Group, without
from .http import INTERNAL_ERROR, Context, body_object, boolean, integer, max_items, plain, protected, refuse
from .json_input import Fields
from .model import Json, new_id, without_none
from .users import Caller, User

MAX_MEMBERS, MAX_GROUPS = 1000, 3000
NOT_AUTHORIZED = "Not authorized"


@dataclass(frozen=True)
class GroupInput:
    """The body of a request that creates or updates a group; members include the admins."""

    id: str
    name: str
    email: str
    description: str | None
    member_ids: tuple[str, ...]
    admin_ids: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Json, with_id: bool) -> GroupInput:
        fields = Fields(data)
        group_id = fields.text("id", "Missing Group.id") if with_id else new_id()
        name, email = (fields.text(field, f"Missing Group.{field}") for field in ("name", "email"))
        description = fields.optional("description")
        members, admins = (_ids(fields, field) for field in ("members", "admins"))
        fields.finish()
        return cls(group_id, name, email, description, _union(members, admins), admins)


def _union(*ids: tuple[str, ...]) -> tuple[str, ...]:
    """In the order in which they come first."""
    return tuple(dict.fromkeys(one for some in ids for one in some))


def _ids(fields: Fields, name: str) -> tuple[str, ...]:
    value = fields.raw(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) and "id" in item for item in value):
        fields.errors.append(f"Missing Group.{name}")
        return ()
    return _union(tuple(str(item["id"]) for item in value))


class MembershipApi:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._directory = context.directory

    def routes(self) -> list[Route]:
        table = [
            ("GET", "/groups", self.list_groups),
            ("POST", "/groups", self.create),
            ("GET", "/groups/{group}", self.get_group),
            ("PUT", "/groups/{group}", self.update),
            ("DELETE", "/groups/{group}", self.delete),
            ("GET", "/groups/{group}/members", self.members),
            ("GET", "/groups/{group}/admins", self.admins),
            ("GET", "/groups/{group}/activity", self.activity),
            ("GET", "/groups/change/{change}", self.get_change),
            ("GET", "/groups/valid/domains", self.domains),
            ("GET", "/users/{user}", self.get_user),
            ("PUT", "/users/{user}/lock", self.lock),
            ("PUT", "/users/{user}/unlock", self.unlock),
        ]
        return [Route(method, path, protected(self._context, endpoint)) for method, path, endpoint in table]

    # -- reading -----------------------------------------------------------------------------------------------------

    async def list_groups(self, call: Call, caller: Caller) -> web.StreamResponse:
        ignore_access, abridged = boolean(call, "ignoreAccess", False), boolean(call, "abridged", False)
        limit = integer(call, "maxItems", 100)
        if not 0 < limit <= MAX_GROUPS:
            text = f'\n maxItems was {limit}, maxItems must be between 0 exclusive\n and {MAX_GROUPS} inclusive"\n' + " " * 25
            raise refuse(text, 400)
        everything = ignore_access or caller.sees_everything
        seen = [group for group in self._directory.groups.values() if everything or caller.is_member(group.id)]
        found = self._after(sorted(seen, key=lambda group: group.name.lower()), call.query.get("startFrom"))
        name_filter = call.query.get("groupNameFilter")
        found = [group for group in found if (name_filter or "").lower() in group.name.lower()]
        page = {
            "groups": [group.abridged(caller.user.id) if abridged else group.to_json() for group in found[:limit]],
            "groupNameFilter": name_filter,
            "startFrom": call.query.get("startFrom"),
            "nextId": found[limit - 1].id if len(found) > limit else None,
            "maxItems": limit,
            "ignoreAccess": ignore_access,
        }
        return json_answer(without_none(page))

    def _after(self, groups: list[Group], start: str | None) -> list[Group]:
        if start is None:
            return groups
        before = next((group for group in groups if group.id == start), None)
        if before is None:  # the original takes the head of an empty list
            raise Abort(plain(INTERNAL_ERROR, status=500))
        return [group for group in groups if group.name.lower() > before.name.lower()]

    async def get_group(self, call: Call, caller: Caller) -> web.StreamResponse:
        return json_answer(self._find(call.params["group"]).to_json())

    async def members(self, call: Call, caller: Caller) -> web.StreamResponse:
        limit, start = max_items(call, limit=MAX_MEMBERS), call.query.get("startFrom")
        group = self._find(call.params["group"])
        people = [user for user in self._people(group.member_ids) if user.id > (start or "")]
        page = {
            "members": [{**user.to_json(), "isAdmin": user.id in group.admin_ids} for user in people[:limit]],
            "startFrom": start,
            "nextId": people[limit - 1].id if len(people) > limit else None,
            "maxItems": limit,
        }
        return json_answer(without_none(page))

    async def admins(self, call: Call, caller: Caller) -> web.StreamResponse:
        return json_answer({"admins": [user.to_json() for user in self._people(self._find(call.params["group"]).admin_ids)]})

    def _people(self, ids: tuple[str, ...]) -> list[User]:
        return [self._directory.users[one] for one in sorted(ids) if one in self._directory.users]

    async def activity(self, call: Call, caller: Caller) -> web.StreamResponse:
        limit, start = max_items(call, exact=False, limit=MAX_MEMBERS), integer(call, "startFrom", 0)
        group_id = call.params["group"]
        self._check_sees_changes(caller, group_id)
        found = self._directory.changes_of_group(group_id)[start:]
        page = {
            "changes": [change.to_json(self._directory.user_name) for change in found[:limit]],
            "startFrom": start if "startFrom" in call.query else None,
            "nextId": start + limit if len(found) > limit else None,
            "maxItems": limit,
        }
        return json_answer(without_none(page))

    async def get_change(self, call: Call, caller: Caller) -> web.StreamResponse:
        change = next((item for item in self._directory.group_changes if item.id == call.params["change"]), None)
        if change is None:
            raise refuse("Invalid Group Change ID", 400)
        self._check_sees_changes(caller, change.new.id)
        return json_answer(change.to_json(self._directory.user_name))

    def _check_sees_changes(self, caller: Caller, group_id: str) -> None:
        if not (caller.sees_everything or caller.is_member(group_id)):
            raise Denied(NOT_AUTHORIZED)

    async def domains(self, call: Call, caller: Caller) -> web.StreamResponse:
        return json_answer(self._context.knobs.email_domains)

    # -- writing -----------------------------------------------------------------------------------------------------

    async def create(self, call: Call, caller: Caller) -> web.StreamResponse:
        wanted = GroupInput.from_json(body_object(call), with_id=False)
        creator = (caller.user.id,)
        group = Group(
            wanted.id,
            wanted.name,
            wanted.email,
            _union(wanted.member_ids, creator),
            _union(wanted.admin_ids, creator),
            wanted.description,
        )
        self._check_texts(group)
        self._check_name(group)
        self._check_people(group.member_ids)
        self._directory.create_group(group, wanted.member_ids, caller.user.id)
        return json_answer(group.to_json())

    async def update(self, call: Call, caller: Caller) -> web.StreamResponse:
        """The id counts that is in the body, not that of the path."""
        wanted = GroupInput.from_json(body_object(call), with_id=True)
        old = self._find(wanted.id)
        new = replace(
            old,
            name=wanted.name,
            email=wanted.email,
            description=wanted.description,
            member_ids=wanted.member_ids,
            admin_ids=wanted.admin_ids,
        )
        self._check_texts(new)
        self._check_edit(caller, old)
        if not new.member_ids or not new.admin_ids:
            raise refuse("Group must have at least one member and one admin", 400)
        known = (*old.member_ids, *without(new.admin_ids, old.admin_ids))  # new admins are not looked up
        self._check_people(without(new.member_ids, known))
        self._check_name(new)
        self._directory.update_group(old, new, caller.user.id)
        return json_answer(new.to_json())

    async def delete(self, call: Call, caller: Caller) -> web.StreamResponse:
        group = self._find(call.params["group"])
        self._check_edit(caller, group)
        reason = self._use_of(group)
        if reason is not None:
            text = f"{group.name} {reason}. Cannot delete. Please transfer the ownership to another group before deleting."
            raise refuse(text, 400)
        return json_answer(self._directory.delete_group(group, caller.user.id).to_json())

    def _use_of(self, group: Group) -> str | None:
        store = self._context.store
        zones = store.list_zones()
        if any(zone.admin_group_id == group.id for zone in zones):
            return "is the admin of a zone"
        owned = store.first_owned_record_set(group.id)
        if owned is not None:
            return f"is the owner for a record set including {owned}"
        ruled = next((zone.id for zone in zones if any(rule.group_id == group.id for rule in zone.acl_rules)), None)
        return None if ruled is None else f"has an ACL rule for a zone including {ruled}"

    def _find(self, group_id: str) -> Group:
        group = self._directory.groups.get(group_id)
        if group is None:
            raise refuse(f"Group with ID {group_id} was not found", 404)
        return group

    def _check_texts(self, group: Group) -> None:
        if not group.name.strip() or not group.email.strip():
            raise refuse("Group name and email cannot be empty.", 400)
        problem = self._context.policy.email_error(group.email)
        if problem is not None:
            raise refuse(problem, 400)

    def _check_edit(self, caller: Caller, group: Group) -> None:
        if not (caller.user.is_super or caller.user.id in group.admin_ids):
            raise Denied(NOT_AUTHORIZED)

    def _check_name(self, group: Group) -> None:
        other = self._directory.group_named(group.name)
        if other is not None and other.id != group.id:
            text = f"Group with name {group.name} already exists. Please try a different name or contact {other.email}"
            raise refuse(f"{text} to be added to the group.", 409)

    def _check_people(self, ids: Iterable[str]) -> None:
        unknown = without(ids, self._directory.users)
        if unknown:
            raise refuse(f"Users [ {','.join(unknown)} ] were not found", 404)

    # -- users -------------------------------------------------------------------------------------------------------

    async def get_user(self, call: Call, caller: Caller) -> web.StreamResponse:
        user = self._directory.by_id_or_name(call.params["user"])
        if user is None:
            raise refuse(f"User {call.params['user']} was not found", 404)
        return json_answer({"id": user.id, "userName": user.name, "groupId": self._directory.groups_of(user.id)})

    async def lock(self, call: Call, caller: Caller) -> web.StreamResponse:
        return self._set_locked(call, caller, True)

    async def unlock(self, call: Call, caller: Caller) -> web.StreamResponse:
        return self._set_locked(call, caller, False)

    def _set_locked(self, call: Call, caller: Caller, locked: bool) -> web.StreamResponse:
        if not caller.user.is_super:
            raise Denied(NOT_AUTHORIZED)
        user = self._directory.set_locked(call.params["user"], locked)
        if user is None:
            raise refuse(f"User with ID {call.params['user']} was not found", 404)
        return json_answer(user.to_json())
