# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """How to find a VinylDNS server and the DNS server behind it."""

    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the VinylDNS API, for example V(https://vinyldns.example.com:9000).
      - If the value is not specified in the task, the value of environment variable E(VINYLDNS_API_URL) or E(VINYLDNS_HOST)
        will be used instead.
    type: str
    required: true
  allow_http:
    description:
      - Whether the credentials may be sent over plain HTTP to another host than this one. Otherwise an O(api_url) that begins
        with C(http://) is refused, unless it names the loopback interface.
      - If the value is not specified in the task, the value of environment variable E(VINYLDNS_ALLOW_HTTP) will be used
        instead.
    type: bool
    default: false
    version_added: 2.0.0
  access_key:
    description:
      - Access key of the account.
      - If the value is not specified in the task, the value of environment variable E(VINYLDNS_ACCESS_KEY_ID) or
        E(VINYLDNS_ACCESS_KEY) will be used instead.
    type: str
    required: true
  secret_key:
    description:
      - Secret key of the account.
      - If the value is not specified in the task, the value of environment variable E(VINYLDNS_SECRET_ACCESS_KEY) or
        E(VINYLDNS_SECRET_KEY) will be used instead.
    type: str
    required: true
attributes:
  action_group:
    description: Use C(group/lockstep.sync.vinyldns) or C(group/lockstep.sync.all) in C(module_defaults) to set defaults.
    support: full
    membership:
      - lockstep.sync.all
      - lockstep.sync.vinyldns
"""

    BACKEND = r"""
options:
  backend:
    description:
      - The DNS server of the zones. With it, the module transfers and compares the zones itself, and so knows what a sync
        would do.
      - This must be the server (and view) that VinylDNS itself transfers the zones from.
    type: dict
    suboptions:
      server:
        description: Name or address of the DNS server.
        type: str
        required: true
      port:
        description: Its port.
        type: int
        default: 53
      tsig_name:
        description: Name of the TSIG key, if the server requires one for transfers.
        type: str
      tsig_secret:
        description: Secret of the TSIG key in base64.
        type: str
      tsig_algorithm:
        description: Algorithm of the TSIG key.
        type: str
        choices: [hmac-md5, hmac-sha1, hmac-sha224, hmac-sha256, hmac-sha384, hmac-sha512]
        default: hmac-sha256
      max_records:
        description:
          - The most records that a zone may have. The transfer of a larger one is ended, and fails with the code V(too_large).
          - All records count, those of types that VinylDNS drops included. VinylDNS itself refuses a zone of which it would keep
            more records than its setting C(max-zone-size) allows, which is 60000 as shipped; the default is ten times as many.
        type: int
        default: 600000
        version_added: 2.0.0
      max_bytes:
        description: The most octets that the transfer of a zone may have. A larger one is ended like one with too many records.
        type: int
        default: 134217728
        version_added: 2.0.0
  drift:
    description:
      - How to find out whether a zone differs from the DNS server.
    type: str
    choices:
      auto: V(axfr) if O(backend) is given, else V(none).
      axfr: Transfer the zone and compare all record sets, by the rules of the server.
      serial: Compare the serial of the SOA only. An equal one proves that there is nothing to do, a different one proves little.
      none: Do not query the DNS server.
    default: auto
  guard:
    description:
      - Limits of what a sync may do to a zone. They need O(drift=axfr), except for O(guard.allow_serial_regression).
      - Percentages and numbers do not count the SOA.
    type: dict
    suboptions:
      max_delete_percent:
        description: Refuse to delete more than this share of the record sets that VinylDNS has of the zone.
        type: float
        default: 30.0
      max_update_percent:
        description: Refuse to update more than this share of the record sets that VinylDNS has of the zone.
        type: float
        default: 30.0
      min_records:
        description: Zones with fewer record sets than this are too small for percentages.
        type: int
        default: 10
      max_deletes:
        description: Refuse to delete more record sets than this, whatever the size of the zone.
        type: int
      max_updates:
        description: Refuse to update more record sets than this, whatever the size of the zone.
        type: int
      allow_empty:
        description: Permit a DNS server that has nothing but SOA and NS records at the apex to empty a zone.
        type: bool
        default: false
      allow_apex_ns_change:
        description: Permit changes to the NS records of the zone itself.
        type: bool
        default: false
      allow_owner_group_loss:
        description: Permit to delete record sets that belong to an owner group, which is lost with them.
        type: bool
        default: false
      allow_serial_regression:
        description: Permit a DNS server whose serial is older than the one that VinylDNS has (RFC 1982).
        type: bool
        default: false
      protect:
        description:
          - Record sets that a sync must not touch, as V(NAME) or V(NAME/TYPE) with wildcards. Names are relative to the
            zone, and V(@) is its apex.
        type: list
        elements: str
        default: []
      ignore:
        description:
          - Record sets that do not count as drift, in the form of O(guard.protect). A sync that runs for another reason
            still applies them.
        type: list
        elements: str
        default: []
"""
