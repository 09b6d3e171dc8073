# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches everything that is left of jobs for secrets, also in the forms in which requests and errors have them."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path


def forms_of(secret: str) -> set[bytes]:
    """A secret as such, and as it is written in addresses, in JSON, in hexadecimal digits, and in base64 at any position."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), json.dumps(secret)[1:-1].encode(), html.escape(secret).encode()}
    for safe in ("", "/"):
        found |= {urllib.parse.quote(secret, safe).encode(), urllib.parse.quote_plus(secret, safe).encode()}
    found |= {form.replace(b"%2F", b"%2f").replace(b"%3D", b"%3d") for form in found}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # without the characters that depend on what is next to it
            text = encode(b"\0" * before + raw).rstrip(b"=")
            found.add(text[(before * 8 + 5) // 6 : len(text) - (0 if (before + len(raw)) % 3 == 0 else 1)])
    return found


def leaks(files: Iterable[tuple[Path, bytes]], secrets: Iterable[str]) -> list[str]:
    """Which secret is in which file."""
    forms = {secret: forms_of(secret) for secret in secrets}
    return [
        f"{secret!r} as {form!r} in {path}"
        for path, content in files
        for secret, all_forms in forms.items()
        for form in all_forms
        if form in content
    ]


def files_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
