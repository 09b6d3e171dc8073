# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Nothing secret leaves the process: every text that does passes through a redactor first."""

from __future__ import annotations

import base64
import collections.abc
import json
import re
import typing as t
import urllib.parse

MASK = "********"
#: a shorter secret is not looked for in handles and ids
MIN_IN_IDENTITY = 4

_OWN_KEY = re.compile("[a-z][a-z_]*")


class Redactor:
    """Replaces known secrets, also in their URL-encoded, base64, JSON and Python forms.

    :param secrets: the values to hide; blank ones are ignored.
    """

    def __init__(self, secrets: t.Iterable[str | None] = ()) -> None:
        self._forms: list[str] = []
        self._public: list[str] = []
        self._identity_forms: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Hide further values, such as a session token obtained at run time."""
        forms = set(self._forms)
        for secret in secrets:
            if secret and secret.strip():
                # blanks around it get lost on many ways, such as in headers
                forms.update(_forms(secret), _forms(secret.strip()))
        # the longest first, or a secret that holds another one would be left in part
        self._forms = sorted(forms, key=len, reverse=True)
        self._identity_forms = _hidden([form for form in self._forms if len(form) >= MIN_IN_IDENTITY], self._public)

    def publish(self, *texts: str) -> None:
        """Note texts that are shown anyway: the address of a server, the name of a provider, the names of targets."""
        self._public += texts
        self._identity_forms = _hidden(self._identity_forms, texts)

    def text(self, text: str) -> str:
        """``text`` without any secret."""
        return _masked(text, self._forms)

    def scrub(self, value: t.Any) -> t.Any:
        """A copy of a JSON-like value without any secret in its strings.

        Keys that look like our own are left alone: the word ``staging`` is no secret only because a password is ``staging``.
        """
        return _scrubbed(value, self._forms)

    def scrub_identity(self, value: t.Any) -> t.Any:
        """The same for what finds something again, such as a handle: a mask in the middle would make it useless.

        Masking hides nothing where a secret is a part of what is public anyway, and a very short one is a part of any id.
        """
        return _scrubbed(value, self._identity_forms)


def _hidden(forms: t.Sequence[str], public: t.Sequence[str]) -> list[str]:
    """Those that are no part of what is public."""
    return [form for form in forms if not any(form in text for text in public)]


def _masked(text: str, forms: t.Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, MASK)
    return text


def _scrubbed(value: t.Any, forms: t.Sequence[str]) -> t.Any:
    if isinstance(value, str):
        return _masked(value, forms)
    if isinstance(value, collections.abc.Mapping):
        return {
            key if isinstance(key, str) and _OWN_KEY.fullmatch(key) else _scrubbed(key, forms): _scrubbed(item, forms)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_scrubbed(item, forms) for item in value]
    return value


def _forms(secret: str) -> set[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    quoted = {urllib.parse.quote(raw, safe=safe) for safe in ("", "/")} | {urllib.parse.quote_plus(raw)}
    quoted |= {re.sub("%..", lambda match: match[0].lower(), form) for form in quoted}
    encoded = {base64.b64encode(raw).decode("ascii"), base64.urlsafe_b64encode(raw).decode("ascii")}
    # the padding may be left out
    encoded |= {form.rstrip("=") for form in encoded}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1], repr(raw)[2:-1]}
    return {secret} | quoted | encoded | escaped


def without_keys(value: t.Any, names: t.Container[str]) -> t.Any:
    """A copy of a decoded JSON value without the members called ``names`` of its objects, at any depth.

    For secrets of the server that are not known in advance, such as TSIG keys in zone objects.
    """
    # most values are neither object nor array, and a call for each of them would cost more than decoding them
    if isinstance(value, dict):
        return {
            key: without_keys(item, names) if isinstance(item, (dict, list)) else item
            for key, item in value.items()
            if key not in names
        }
    if isinstance(value, list):
        return [without_keys(item, names) if isinstance(item, (dict, list)) else item for item in value]
    return value
