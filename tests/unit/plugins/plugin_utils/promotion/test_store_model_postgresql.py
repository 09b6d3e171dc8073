# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A promotion store in PostgreSQL against a list in memory."""

from __future__ import annotations

from hypothesis import settings

from tests.unit.plugins.support.databases import PostgresqlDatabase

from .test_store_model import Promotions


class PostgresqlPromotions(Promotions):
    """See ``test_store_model.py``."""

    kind = PostgresqlDatabase


TestPostgresqlPromotions = PostgresqlPromotions.TestCase
TestPostgresqlPromotions.settings = settings(max_examples=4, stateful_step_count=20, deadline=None)
