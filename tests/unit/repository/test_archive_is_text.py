# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing in the repository, and so nothing in the archive, is binary."""

from __future__ import annotations

import pathlib


def binary(content: bytes) -> bool:
    """Whether a file is no text in UTF-8, or has NUL in it, as compiled files have."""
    try:
        return "\0" in content.decode("utf-8")
    except UnicodeDecodeError:
        return True


def test_no_file_is_binary(root: pathlib.Path, tracked: list[str]) -> None:
    found = [name for name in tracked if (root / name).is_file() and binary((root / name).read_bytes())]

    assert len(tracked) > 500
    assert found == []


def test_a_binary_file_would_be_found() -> None:
    assert binary(b"\x7fELF\x02\x00") and binary(b"\xff\xfe") and not binary("text, also ü".encode())
