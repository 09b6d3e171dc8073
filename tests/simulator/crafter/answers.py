# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three kinds of answers: API 1 messages, the API 2 envelope, and the error pages of the servlet container."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from aiohttp import web

from ..framework import Abort, json_answer, text_answer

PERMISSION_REMEDY = "You don't have permission to perform this task, please contact your administrator"


@dataclass(frozen=True)
class Outcome:
    """One row of the table of API 2 codes."""

    http: int
    code: int
    message: str
    remedy: str = ""
    separator: str = ":"  # between message and detail

    def answer(self, detail: str = "", /, **entities: Any) -> web.Response:
        """The envelope, with its entities next to it (not inside)."""
        message = f"{self.message}{self.separator}{detail}" if detail else self.message
        response = {"code": self.code, "message": message, "remedialAction": self.remedy, "documentationUrl": ""}
        return json_answer({"response": response, **entities}, status=self.http)

    def abort(self, detail: str = "", /, **entities: Any) -> Abort:
        return Abort(self.answer(detail, **entities))


OK = Outcome(200, 0, "OK")
CREATED = Outcome(201, 1, "Created")
DELETED = Outcome(200, 2, "Deleted")
COMPLETED_WITH_ERRORS = Outcome(200, 3, "Completed with errors")
INTERNAL_FAILURE = Outcome(500, 1000, "Internal system failure", "Contact support")
INVALID_PARAMETERS = Outcome(
    400, 1001, "Invalid parameter(s)", "Check API and make sure you're sending the correct parameters", separator=" : "
)
UNAUTHENTICATED = Outcome(401, 2000, "Unauthenticated", "Please login first")
UNAUTHORIZED = Outcome(403, 2001, "Unauthorized", PERMISSION_REMEDY)
WRONG_MANAGEMENT_TOKEN = Outcome(401, 2001, "Unauthorized", PERMISSION_REMEDY)
SITE_NOT_FOUND = Outcome(404, 5000, "Site not found", "Check if you sent in the right Site Id")
INVALID_SITE_STATE = Outcome(400, 5002, "Invalid site state")
CONTENT_NOT_FOUND = Outcome(404, 7000, "Content not found")


def invalid_field(field: str, message: str) -> Abort:
    return INVALID_PARAMETERS.abort(validationErrors=[{"field": field, "message": message}])


def message(text: str, status: int = 200) -> web.Response:
    """What API 1 scripts answer."""
    return json_answer({"message": text}, status=status)


def refuse(text: str, status: int) -> Abort:
    return Abort(message(text, status))


def container_page(status: int) -> web.Response:
    """What the container sends in place of the application: HTML, whatever the client accepts.  The wording is ours."""
    title = f"HTTP Status {status} - {HTTPStatus(status).phrase}"
    page = f'<!doctype html><html lang="en"><head><title>{title}</title></head><body><h1>{title}</h1></body></html>'
    return text_answer(page, status=status, content_type="text/html")
