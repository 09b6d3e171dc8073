# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Nothing secret leaves the process, and nothing harmful: every text that does passes through a redactor first."""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import math
import re
import typing as t

from .secret_forms import octets, secret_pattern
from .texts import harmless
from .vocabulary import WORDS

MASK = "********"
#: a shorter secret is not looked for in handles and ids
MIN_IN_IDENTITY = 4

_OWN_KEY = re.compile("[a-z][a-z_]*")
#: fields that find something again
_IDENTITIES = ("target", "handle")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?", re.ASCII)


@dataclasses.dataclass(frozen=True)
class _Form:
    """A secret, or what it looks like in base64, and what finds it.

    :param is_plain: whether no usual way of writing encodes any character of it.
    """

    text: str
    pattern: re.Pattern[str]
    is_plain: bool


class Redactor:
    """Replaces known secrets, also in base64 and as URLs, HTML, JSON and Python write them, and characters that are not harmless.

    :param secrets: the values to hide; blank ones are ignored.
    :param words: what our own fields may hold, beyond :data:`WORDS`.
    """

    def __init__(self, secrets: t.Iterable[str | None] = (), words: t.Iterable[str] = ()) -> None:
        self._forms: list[_Form] = []
        self._public: list[str] = []
        self._identity_forms: list[_Form] = []
        self._words = WORDS | frozenset(words)
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Hide further values, such as a session token obtained at run time."""
        known = {form.text for form in self._forms}
        found: set[str] = set()
        for secret in secrets:
            # blanks around it get lost on many ways, such as in headers
            if secret and secret.strip():
                found |= _written(secret) | _written(secret.strip())
        forms = self._forms + [_new_form(text) for text in found - known]
        # the longest first, or a secret that holds another one would be left in part
        self._forms = sorted(forms, key=lambda form: len(form.text), reverse=True)
        self._identity_forms = _hidden([form for form in self._forms if len(form.text) >= MIN_IN_IDENTITY], self._public)

    def publish(self, *texts: str) -> None:
        """Note texts that are shown anyway: the address of a server, the name of a provider, the names of targets."""
        self._public += texts
        self._identity_forms = _hidden(self._identity_forms, texts)

    def text(self, text: str) -> str:
        """``text`` without any secret, and harmless."""
        return _masked(text, self._forms)

    def scrub(self, value: t.Any) -> t.Any:
        """A copy of a JSON-like value without any secret in its strings, all of them harmless, and without NaN and infinity.

        Keys that look like our own, and words and dates of our own in such fields, are left alone: the word ``staging`` is no
        secret only because a password is ``staging``. Targets and handles are scrubbed as :meth:`scrub_identity` does.
        """
        return self._scrub(value, self._forms)

    def scrub_identity(self, value: t.Any) -> t.Any:
        """The same for what finds something again, such as a handle: a mask in the middle would make it useless.

        Masking hides nothing where a secret is a part of what is public anyway, and a very short one is a part of any id.
        """
        return self._scrub(value, self._identity_forms)

    def _scrub(self, value: t.Any, forms: t.Sequence[_Form]) -> t.Any:
        if isinstance(value, str):
            return _masked(value, forms)
        if isinstance(value, float) and not math.isfinite(value):
            # JSON has no such numbers (RFC 8259 section 6)
            return None
        if isinstance(value, collections.abc.Mapping):
            return {self._key(key, forms): self._member(key, item, forms) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._scrub(item, forms) for item in value]
        return value

    def _key(self, key: t.Any, forms: t.Sequence[_Form]) -> t.Any:
        return key if isinstance(key, str) and _OWN_KEY.fullmatch(key) else self._scrub(key, forms)

    def _member(self, key: t.Any, value: t.Any, forms: t.Sequence[_Form]) -> t.Any:
        if key in _IDENTITIES:
            return self.scrub_identity(value)
        if isinstance(value, str) and (value in self._words or _DATE.fullmatch(value)) and _OWN_KEY.fullmatch(str(key)):
            return value
        return self._scrub(value, forms)


def harmless_json(value: dict[str, t.Any]) -> dict[str, t.Any]:
    """A copy of a JSON object in which no secret is left to hide, all texts of it harmless, and without NaN and infinity."""
    return t.cast("dict[str, t.Any]", Redactor().scrub(value))


def _new_form(text: str) -> _Form:
    pattern = secret_pattern(text)
    return _Form(text, pattern, pattern.pattern == text)


def _hidden(forms: t.Sequence[_Form], public: t.Sequence[str]) -> list[_Form]:
    """Those that are no part of what is public."""
    return [form for form in forms if not any(form.text in text for text in public)]


def _masked(text: str, forms: t.Iterable[_Form]) -> str:
    for form in forms:
        # as a rule neither is there; a search for a text takes a fraction of that for a pattern
        if form.text in text or (not form.is_plain and form.pattern.search(text)):
            text = form.pattern.sub(MASK, text)
    return harmless(text)


def _written(secret: str) -> set[str]:
    """The secret and its base64 forms; what other ways of writing make of them is for their patterns."""
    raw = octets(secret)
    encoded = {base64.b64encode(raw).decode("ascii"), base64.urlsafe_b64encode(raw).decode("ascii")}
    # the padding may be left out
    return {secret} | encoded | {form.rstrip("=") for form in encoded}


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
