# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Credentials go over an encrypted connection, unless the user says that the network is safe without one."""

from __future__ import annotations

import ipaddress
import urllib.parse

from .._core.errors import SyncError

#: the option that allows it
OPTION = "allow_http"


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        # RFC 6761 section 6.3
        return host.lower() == "localhost"


def check_encrypted(url: str, option: str, allowed: bool, what: str = "the credentials", allowed_by: str = OPTION) -> None:
    """Refuse an address to which secrets would be sent in plain text.

    :param url: an http(s) address; only its host is shown.
    :param option: that has it.
    :param allowed: whether the user allows that.
    :param what: would be sent.
    :param allowed_by: the option that does.
    :raises SyncError: ``invalid_option``.
    """
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or allowed or is_loopback(host):
        return
    problem = f"option {option}: {what} would be sent to {host} over plain HTTP, where others on the way can read them"
    raise SyncError("invalid_option", problem, f"Use https://, or set {allowed_by}: true if the network is safe without.")
