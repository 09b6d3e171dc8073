# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VinylDNS emulator.

``auth`` verifies signatures; ``users``, ``groups`` and ``directory`` say who there is, ``access`` and ``acl`` who may do what;
``policy`` is what an installation forbids; ``model`` holds the entities and their JSON; ``records`` turns DNS data into record
JSON and back; ``diff`` compares; ``store`` keeps everything in SQLite; ``backend`` talks to the DNS server; ``engine`` is the
queue and what its workers do, ``record_writer`` their work on record sets.  Modules called ``…_api`` answer HTTP, with
``zone_input``, ``record_input``, ``record_rules`` and ``ownership`` for what is refused; ``control`` is for tests; ``seed`` is
what exists at the start; ``part`` puts it together.
"""

from __future__ import annotations

from .part import VinylDnsPart

__all__ = ["VinylDnsPart"]
