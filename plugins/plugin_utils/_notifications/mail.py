# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is PRIVATE to the collection.

"""Notifications by mail."""

from __future__ import annotations

import contextlib
import email.header
import email.message
import email.policy
import email.utils
import json
import re
import smtplib
import socket
import ssl
import typing as t

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import SyncError
from ...module_utils._core.texts import one_line
from .announcement import Announcement, target_lines
from .settings import Mail

#: seconds for connecting, and for each wait for data
REQUEST_TIMEOUT = 10.0


class Subject(str):
    """The subject of a mail, which is never parsed.

    :class:`email.message.EmailMessage` decodes encoded words (RFC 2047) in the texts that it is given, and some releases of
    Python write line breaks in them into the message (CVE-2024-6923), so that the name of a target could become a header. The
    policies of ``email`` leave a value with ``name`` and ``fold`` alone.
    """

    name = "Subject"

    def fold(self, *, policy: email.policy.EmailPolicy) -> str:
        """The header with its name, in lines of at most 78 characters (RFC 5322, section 2.1.1)."""
        text = one_line(self)
        # what looks like an encoded word is encoded itself, so that readers see it as it is
        charset = None if text.isascii() and "=?" not in text else "utf-8"
        value = email.header.Header(text, charset, maxlinelen=76, header_name=self.name).encode(linesep=policy.linesep)
        return f"{self.name}: {value}{policy.linesep}"


def new_smtp(mail: Mail, timeout: float) -> smtplib.SMTP:
    """A connection to a mail server, encrypted as the settings say."""
    # without a name, smtplib would ask the DNS for that of this machine, which may take long
    name = socket.gethostname() or "localhost"
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, name, timeout=timeout, context=ssl.create_default_context())
    smtp = smtplib.SMTP(mail.host, mail.port, name, timeout=timeout)
    if mail.security == "starttls":
        try:
            smtp.starttls(context=ssl.create_default_context())
        except BaseException:
            smtp.close()
            raise
    return smtp


def send(mail: Mail, about: Announcement, connect: t.Callable[[Mail, float], smtplib.SMTP], clock: Clock, html: str) -> str:
    """Send a mail.

    :param html: the report as a page, for ``attach_report``; without it the report is attached as JSON.
    :returns: what was done, for the report.
    :raises SyncError: the server did not accept it for all recipients.
    """
    message = compose(mail, about, clock, html)
    try:
        smtp = connect(mail, REQUEST_TIMEOUT)
        try:
            if mail.username is not None and mail.password is not None:
                smtp.login(mail.username, mail.password)
            refused = smtp.send_message(message)
            # the mail is accepted already
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            smtp.close()
    except (smtplib.SMTPException, OSError) as exc:
        raise SyncError("connection_failed", f"mail by {mail.server} was not sent: {_problem(exc)}") from None
    if refused:
        raise SyncError("connection_failed", f"mail by {mail.server} reached only some recipients: {_refusals(refused)}")
    return f"sent to {', '.join(mail.to)} by {mail.server}"


def compose(mail: Mail, about: Announcement, clock: Clock, html: str) -> email.message.EmailMessage:
    """The message."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = mail.sender
    message["To"] = ", ".join(mail.to)
    message["Subject"] = Subject(_subject(mail, about))
    message["Date"] = email.utils.format_datetime(clock.now())
    message["Message-ID"] = email.utils.make_msgid(domain=email.utils.parseaddr(mail.sender)[1].rpartition("@")[2] or "localhost")
    # asks machines not to answer (RFC 3834)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(_body(about)))
    if mail.attach_report:
        name = re.sub("[^A-Za-z0-9.-]", "_", about.name)
        if html:
            message.add_attachment(html, subtype="html", filename=f"{name}.html")
        else:
            data = json.dumps(about.report, indent=2, default=str).encode()
            message.add_attachment(data, maintype="application", subtype="json", filename=f"{name}.json")
    return message


def _subject(mail: Mail, about: Announcement) -> str:
    names = [target.name for target in about.targets]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    qualifier = f" ({about.qualifier})" if about.qualifier else ""
    return one_line(f"{mail.subject} {about.verdict}{f': {shown}' if shown else ''}{qualifier}")


def _body(about: Announcement) -> t.Iterator[str]:
    yield from (about.message, "", *target_lines(about, ""), "")
    yield from (f"{label}: {value}" for label, value in about.facts if value)
    yield ""


def _problem(exc: Exception) -> str:
    if isinstance(exc, smtplib.SMTPAuthenticationError):
        return f"it refused user name and password ({exc.smtp_code})"
    if isinstance(exc, smtplib.SMTPRecipientsRefused):
        return _refusals(exc.recipients)
    if isinstance(exc, smtplib.SMTPResponseException):
        return f"it answered {exc.smtp_code} {_shown(exc.smtp_error)}"
    if isinstance(exc, smtplib.SMTPNotSupportedError):
        return _shown(str(exc)) or "it does not support what the settings ask for"
    # smtplib reports silence as a closed connection
    if isinstance(exc, TimeoutError) or isinstance(exc.__context__, TimeoutError):
        return f"no answer within {REQUEST_TIMEOUT:g} s"
    if isinstance(exc, smtplib.SMTPServerDisconnected):
        return "it closed the connection"
    if isinstance(exc, ssl.SSLError):
        return f"TLS failed: {_shown(str(exc))}"
    return _shown(getattr(exc, "strerror", None) or str(exc))


def _refusals(refused: t.Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address} was refused ({code} {_shown(text)})" for address, (code, text) in refused.items())


def _shown(text: str | bytes) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return one_line(plain)
