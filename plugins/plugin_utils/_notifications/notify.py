# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Notifications about the end of a promotion, by a webhook and by mail. A notification that fails does not change the promotion.

Texts and errors hold nothing secret.
"""

from __future__ import annotations

import smtplib
import typing as t

from ...module_utils._core.clock import Clock, SystemClock
from ...module_utils._core.errors import SyncError
from ...module_utils._core.redact import Redactor
from .announcement import Announcement, announcement
from .mail import new_smtp, send
from .settings import OPTION, Mail, parse
from .webhook import WebSession, new_session, post


class Delivery(t.TypedDict):
    """The outcome of one notification.

    :param channel: ``webhook`` or ``mail``.
    """

    channel: str
    ok: bool
    text: str


def check(settings: object, option: str = OPTION) -> None:
    """Refuse settings that cannot work, before anything happens.

    :param settings: as the user wrote them.
    :raises SyncError: ``invalid_option`` that names the entry, such as ``staging_promotion_notify.mail.to``.
    """
    parse(settings, option)


def notify(
    report: t.Mapping[str, object],
    settings: object,
    session: t.Callable[[], WebSession] = new_session,
    smtp: t.Callable[[Mail, float], smtplib.SMTP] = new_smtp,
    clock: Clock | None = None,
    html: str = "",
    option: str = OPTION,
) -> list[Delivery]:
    """Send the notifications that the settings ask for. In check mode there are none.

    :param report: of the promotion, without secrets.
    :param settings: as the user wrote them.
    :param session: makes a session of requests.
    :param smtp: makes a connection to a mail server.
    :param html: the report as a page, for ``attach_report``; without it the report is attached as JSON.
    :returns: one for each channel; failures are in them and not raised.
    :raises SyncError: as :func:`check`.
    """
    parsed = parse(settings, option)
    about = announcement(report)
    if about.check_mode or not _wanted(parsed.when, about):
        return []
    deliveries = []
    if parsed.webhook:
        hook = parsed.webhook
        redactor = Redactor(hook.secrets())
        deliveries.append(_delivery("webhook", redactor, hook.origin, lambda: post(hook, about, session)))
    if parsed.mail:
        mail = parsed.mail
        redactor = Redactor([mail.password])
        deliveries.append(_delivery("mail", redactor, mail.server, lambda: send(mail, about, smtp, clock or SystemClock(), html)))
    return deliveries


def _wanted(when: str, about: Announcement) -> bool:
    conditions = {
        "changed": about.changed,
        "failed": not about.ok,
        "changed_or_failed": about.changed or not about.ok,
        "always": True,
    }
    return conditions[when]


def _delivery(channel: str, redactor: Redactor, server: str, deliver: t.Callable[[], str]) -> Delivery:
    try:
        return {"channel": channel, "ok": True, "text": redactor.text(deliver())}
    except SyncError as exc:
        text = exc.message
    except Exception as exc:  # noqa: BLE001 (the promotion is over, and a notification must not make it fail)
        text = f"notification by {server} failed: {type(exc).__name__}: {exc}"
    return {"channel": channel, "ok": False, "text": redactor.text(text)}
