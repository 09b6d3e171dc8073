# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of a digest is an approval."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.lockstep.sync.plugins.module_utils._dns.drift import DIGEST_LENGTH
from ansible_collections.lockstep.sync.plugins.module_utils._dns.guard import SHORT_DIGEST, Approval

DIGEST = "8875298edb7112292492b689371e4386"

digests = st.text("0123456789abcdef", min_size=DIGEST_LENGTH, max_size=DIGEST_LENGTH)


@given(digests, st.integers(SHORT_DIGEST, DIGEST_LENGTH))
def test_the_first_digits_are_enough(digest: str, length: int) -> None:
    assert Approval((f" {digest[:length].upper()} ",)).covers(digest)


@given(digests, digests, st.integers(SHORT_DIGEST, DIGEST_LENGTH))
def test_of_another_plan_they_are_not(digest: str, other: str, length: int) -> None:
    assert Approval((other[:length],)).covers(digest) == digest.startswith(other[:length])


@pytest.mark.parametrize("given_digest", ["", " ", "8", DIGEST[: SHORT_DIGEST - 1], DIGEST[1:], f"{DIGEST}0", f"{DIGEST[:16]}g"])
def test_fewer_or_other_digits_are_no_approval(given_digest: str) -> None:
    assert not Approval((given_digest,)).covers(DIGEST)
    assert not Approval(()).covers(DIGEST)
