# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A number that no server counts to is no number: Python would refuse to read or to write it later."""

from __future__ import annotations

import pytest

from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.json_reader import JsonReader
from ansible_collections.lockstep.sync.plugins.module_utils._http.response import Response

LARGEST = 2**63 - 1


def reader(count: str) -> JsonReader:
    body = f'{{"count": {count}, "rows": [{{"id": {count}}}]}}'.encode()
    return JsonReader(Response("GET", "https://h/things", 200, {}, body), "Check api_url.")


@pytest.mark.parametrize("count", [str(LARGEST), f'"{LARGEST}"', "0", '"0"', str(-LARGEST)])
def test_what_fits_into_64_bits_is_read(count: str) -> None:
    assert reader(count).number_at("count") == int(count.strip('"'))
    assert len(reader(count).rows_at("rows", id="number")) == 1


@pytest.mark.parametrize("digits", [20, 400, 4300, 4301, 100_000])
@pytest.mark.parametrize("form", ["{}", '"{}"', "-{}"])
def test_what_does_not_is_a_bad_response(form: str, digits: int) -> None:
    count = form.format("9" * digits)
    for read in (lambda: reader(count).number_at("count"), lambda: reader(count).rows_at("rows", id="number")):
        with pytest.raises(SyncError) as caught:
            read()
        assert caught.value.code == "bad_response"
        assert len(caught.value.message) < 200
