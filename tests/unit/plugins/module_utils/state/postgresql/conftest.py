# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ledger in PostgreSQL by itself."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from tests.unit.plugins.support.databases import PostgresqlDatabase, cluster
from tests.unit.plugins.support.lab import Lab
from tests.unit.plugins.support.lossy_proxy import LossyProxy


@pytest.fixture
def database(tmp_path: pathlib.Path) -> PostgresqlDatabase:
    return PostgresqlDatabase(tmp_path)


@pytest.fixture
def proxy() -> t.Iterator[LossyProxy]:
    """Between the ledgers of a test and the server of all tests."""
    made = LossyProxy(cluster().port)
    yield made
    made.close()


@pytest.fixture
def through_proxy(proxy: LossyProxy, database: PostgresqlDatabase) -> str:
    """The location of the database by way of the proxy."""
    return cluster().address(database.name, port=proxy.port)


@pytest.fixture
def remote(lab: Lab, database: PostgresqlDatabase) -> Lab:
    """Tasks whose ledger is the database."""
    lab.location = database.location
    return lab
