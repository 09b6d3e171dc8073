# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is PRIVATE to the collection.

"""Which zones one side has and the other one lacks: DNS by one or more lists, and VinylDNS."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._core.errors import invalid_option
from ..._core.options import ArgumentSpec, Options
from ..._core.texts import is_like
from ..._dns.backend import Backend
from ..._dns.transfer import DNSPYTHON_IMPORT_ERROR
from ..._dns.wire import Malformed, parse_name
from ..._dns.zone_lists import listed_by_bind, read_catalog
from ..._http.client import Channel, HttpClient
from ..._lifecycle.provider import Services
from . import api
from .evidence import BACKEND_SPEC
from .provider import CONNECTION_SPEC, new_client

COVERAGE_SPEC = CONNECTION_SPEC + ArgumentSpec(
    {
        "zones": {"type": "list", "elements": "str"},
        "catalog": {"type": "str"},
        "backend": BACKEND_SPEC,
        "named_zones": {"type": "str"},
        "view": {"type": "str"},
        "name_filter": {"type": "str"},
        "ignore": {"type": "list", "elements": "str", "default": []},
    },
    texts=("zones", "catalog", "view", "name_filter", "ignore"),
    required_one_of=(("zones", "catalog", "named_zones"),),
)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """The zones of both sides, by names with a dot at the end, in lower case."""

    dns: frozenset[str]
    vinyldns: frozenset[str]

    @property
    def missing_in_vinyldns(self) -> list[str]:
        return sorted(self.dns - self.vinyldns)

    @property
    def missing_in_dns(self) -> list[str]:
        return sorted(self.vinyldns - self.dns)

    def as_result(self) -> dict[str, object]:
        return {
            "covered": self.dns == self.vinyldns,
            "missing_in_vinyldns": self.missing_in_vinyldns,
            "missing_in_dns": self.missing_in_dns,
            "summary": {
                "dns": len(self.dns),
                "vinyldns": len(self.vinyldns),
                "both": len(self.dns & self.vinyldns),
                "missing_in_vinyldns": len(self.missing_in_vinyldns),
                "missing_in_dns": len(self.missing_in_dns),
            },
        }


class CoverageReader:
    """Reads the lists of both sides."""

    client: HttpClient

    def __init__(self, options: Options, services: Services) -> None:
        self.options = options
        self.backend = Backend.from_options(options["backend"]) if options.get("backend") else None
        if options.get("catalog") is not None and self.backend is None:
            remedy = "Set backend, which has the DNS server that the catalog zone is transferred from."
            raise invalid_option("catalog", options["catalog"], "needs access to the DNS server", remedy)
        if options.get("view") is not None and options.get("named_zones") is None:
            raise invalid_option("view", options["view"], "needs a list with views", "Set named_zones, or leave it out.")
        self.client = new_client(options, services)

    @staticmethod
    def requirements(options: Options) -> list[tuple[str, str | None]]:
        """The libraries for these options."""
        return [("dnspython", DNSPYTHON_IMPORT_ERROR)] if options.get("catalog") is not None else []

    def read(self, channel: Channel) -> dict[str, object]:
        """Both lists compared.

        :raises SyncError: one of them cannot be read, or is none.
        """
        dns = self._wanted(self._of_dns(channel))
        listed = (zone.name for page in api.every_zone_page(channel) for zone in page.zones)
        return Coverage(dns, self._wanted(listed)).as_result()

    def _of_dns(self, channel: Channel) -> t.Iterator[str]:
        for name in self.options.get("zones") or ():
            yield checked_name("zones", name)
        if self.options.get("catalog") is not None and self.backend is not None:
            catalog = api.absolute(checked_name("catalog", self.options["catalog"]))
            yield from read_catalog(catalog, self.backend, channel.deadline.remaining())
        if self.options.get("named_zones") is not None:
            yield from listed_by_bind(self.options["named_zones"], self.options.get("view"))

    def _wanted(self, names: t.Iterable[str]) -> frozenset[str]:
        only, ignored = self.options.get("name_filter"), [_pattern(each) for each in self.options["ignore"]]
        found = {api.absolute(name.strip()).lower() for name in names}
        kept = found if only is None else {name for name in found if is_like(name, _pattern(only))}
        return frozenset(name for name in kept if not any(is_like(name, pattern) for pattern in ignored))


def checked_name(option: str, value: str) -> str:
    """The name of a zone without blanks around it.

    :raises SyncError: ``invalid_option`` if it is no domain name.
    """
    name = value.strip()
    try:
        parse_name(api.absolute(name))
    except Malformed as error:
        raise invalid_option(option, value, f"is no name of a zone ({error})", "Correct or remove it.") from None
    return name


def _pattern(text: str) -> str:
    """A pattern for names with a dot at the end."""
    pattern = api.in_ascii(text.strip())
    return pattern if pattern.endswith(("*", ".")) else f"{pattern}."
