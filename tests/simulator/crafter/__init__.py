# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of Crafter Studio, as far as resetting staging needs one.  It is not Studio and shares no code with it.

It follows docs/reference/crafter.md: documentation, source reading and issue threads of 3.0 to 5.0.  A profile stands
for a release (``releases.py``), a knob picks any other (``knobs.py``); each endpoint knows the releases that have it.
Behind each site is a real git repository, by path and over HTTP (``git.py``, ``githttp.py``).  ``control.py`` lists what
tests can do behind Studio's back, ``seed.py`` what is there from the start.

Covered: sync-staging and reset-staging; signing in of every release; monitoring/version; publish status, start, stop,
packages, package, cancel, all, has_initial_publish, available_targets; workflow/publish, item_states, item_by_path; API 1's
commits, publish-items, bulk-golive, channels, site/exists, get-per-user, get-configuration; API tokens; users/me/sites;
get_configuration of site-config.xml; 5.0's status, targets, configuration and packages.  Any other URL is unknown.

Where that page leaves something open, this was decided:

* The published page names no way to sign in: the profile ``documented`` takes a token, Basic, or a 3.x session.  Its
  environments come from a knob and are branch names; a member of the site may sync, anybody else is unauthorized.
* The session id changes with the first request after the login (knob ``session_rotation``); the old one is void at once.
* Login locks are known of 4.0 on (knob ``login_lock``); an attempt on a locked name is refused without lengthening the lock.
* The pages of the container have our wording.  Unknown API 2 URLs are such pages in every release.
* A script's URL without ``.json``, or with another method, is unknown.  JSON that is no object lacks every parameter.
* 3.0 resets behind the publisher's lock as later releases do.
* Publisher words that a release does not know yet are shown as it said them: ready as idle, processing as busy, and so on.
* A failed publish leaves its package BLOCKED; cancelling touches only packages in READY_FOR_LIVE.
* publish/all refuses an unknown target the way it refuses a missing one: 404, code 7000.
* Roles: a publisher has publish, content_read and publish_status, not all; a member the second and third of
  these.  API 1's publishing endpoints ask for ``publish`` from 4.0 on; API 2 refuses with its own envelope (403, code 2001).
* The user interface's form answers with a redirect, right or wrong; only the right one sets ``refresh_token``.
* 5.0: a failed package is complete as well; ``currentTask`` is null while nothing runs.
"""

from __future__ import annotations

from .part import CrafterPart

__all__ = ["CrafterPart"]
