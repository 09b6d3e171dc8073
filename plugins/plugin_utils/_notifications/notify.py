# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Notifications about the end of a role, by a webhook and by mail. A notification that fails does not change the result.

Texts and errors hold nothing secret.
"""

from __future__ import annotations

import smtplib
import typing as t

from ...module_utils._core.clock import Clock, SystemClock
from ...module_utils._core.errors import SyncError
from ...module_utils._core.redact import Redactor
from .._reports.formats import clip
from .announcement import Announcement
from .mail import new_smtp, send
from .settings import Mail, NotificationSettings, parse
from .topic import PROMOTION, Topic
from .webhook import WebSession, new_session, post

#: a text of a server may be long
MAX_TEXT = 2000

Channel = t.Literal["webhook", "mail"]


class Delivery(t.TypedDict):
    """The outcome of one notification."""

    channel: Channel
    ok: bool
    text: str


def check(settings: object, topic: Topic = PROMOTION) -> None:
    """Refuse settings that cannot work, before anything happens.

    :param settings: as the user wrote them.
    :raises SyncError: ``invalid_option`` that names the entry, such as ``staging_promotion_notify.mail.to``.
    """
    parse(settings, topic)


def covers_check_mode(settings: object, topic: Topic = PROMOTION) -> bool:
    """Whether runs in check mode may be notified of.

    :raises SyncError: as :func:`check`.
    """
    return parse(settings, topic).check_mode


def notify(
    report: t.Mapping[str, object],
    settings: object,
    session: t.Callable[[], WebSession] = new_session,
    smtp: t.Callable[[Mail, float], smtplib.SMTP] = new_smtp,
    clock: Clock | None = None,
    html: str = "",
    topic: Topic = PROMOTION,
) -> list[Delivery]:
    """Send the notifications that the settings ask for.

    :param report: of the role, without secrets.
    :param settings: as the user wrote them.
    :param session: makes a session of requests.
    :param smtp: makes a connection to a mail server.
    :param html: the report as a page, for ``attach_report``; without it the report is attached as JSON.
    :returns: one for each channel; failures are in them and not raised.
    :raises SyncError: as :func:`check`.
    """
    parsed = parse(settings, topic)
    about = topic.announce(report)
    if not _wanted(parsed, about):
        return []
    deliveries = []
    if parsed.webhook:
        hook = parsed.webhook
        redactor = Redactor(hook.secrets())
        deliveries.append(_delivery("webhook", redactor, hook.origin, lambda: post(hook, about, session)))
    if parsed.mail:
        mail = parsed.mail
        redactor = Redactor(mail.secrets())
        deliveries.append(_delivery("mail", redactor, mail.server, lambda: send(mail, about, smtp, clock or SystemClock(), html)))
    return deliveries


def _wanted(settings: NotificationSettings, about: Announcement) -> bool:
    if about.check_mode and not settings.check_mode:
        return False
    conditions = {
        "changed": about.changed,
        "failed": not about.ok,
        "changed_or_failed": about.changed or not about.ok,
        "always": True,
    }
    return any(conditions.get(condition, False) or condition == about.verdict for condition in settings.when)


def _delivery(channel: Channel, redactor: Redactor, server: str, deliver: t.Callable[[], str]) -> Delivery:
    try:
        return {"channel": channel, "ok": True, "text": clip(redactor.text(deliver()), MAX_TEXT)}
    except SyncError as exc:
        text = exc.message
    except Exception as exc:  # noqa: BLE001 (the work is done, and a notification must not make it fail)
        text = f"notification by {server} failed: {type(exc).__name__}: {exc}"
    return {"channel": channel, "ok": False, "text": clip(redactor.text(text), MAX_TEXT)}
