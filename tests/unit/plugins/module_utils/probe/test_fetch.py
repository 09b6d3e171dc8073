# Copyright (c) 2026 The lockstep.sync authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One attempt at a real site: what is sent, what is seen, and how it ends."""

from __future__ import annotations

import base64
import gzip
import pathlib
import socket
import sys
import time
import typing as t

import pytest
from cryptography import x509

from ansible_collections.lockstep.sync.plugins.module_utils._core.clock import SystemClock
from ansible_collections.lockstep.sync.plugins.module_utils._core.errors import SyncError
from ansible_collections.lockstep.sync.plugins.module_utils._http.client import RequestCount
from ansible_collections.lockstep.sync.plugins.module_utils._probe import http
from ansible_collections.lockstep.sync.plugins.module_utils._probe.expect import HttpResponse
from ansible_collections.lockstep.sync.plugins.module_utils._probe.options import Probe, parse_probes
from tests.unit.plugins.conftest import Serve
from tests.unit.plugins.support.certificates import new_certificate
from tests.unit.plugins.support.web import Reply, Request

from .test_options import validated

OK = Reply(body=b"<title>Shop</title>")


def ok(request: Request) -> Reply:
    return OK


class Fetcher:
    """Makes single attempts, and counts what was sent."""

    def __init__(self) -> None:
        self.count = RequestCount()

    def probe(self, url: str, **options: t.Any) -> Probe:
        (only,) = parse_probes(validated(probes=[{"url": url, **options}]))
        return only

    def __call__(self, url: str, **options: t.Any) -> HttpResponse:
        return http.fetch(self.probe(url, **options), SystemClock(), self.count)

    def fails(self, url: str, **options: t.Any) -> str:
        with pytest.raises(SyncError) as caught:
            self(url, **options)
        return caught.value.message


@pytest.fixture
def fetch() -> Fetcher:
    return Fetcher()


def test_what_is_sent(serve: Serve, fetch: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login u password p\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    site = serve(ok)
    seen = fetch(f"{site.url}/x?y=1#z", request_headers={"X-Trace": "7"})
    (request,) = site.log
    assert (request.method, request.target) == ("GET", "/x?y=1")
    assert (request.headers["Cache-Control"], request.headers["X-Trace"]) == ("no-cache", "7")
    assert "Authorization" not in request.headers
    assert (seen.status, seen.body, seen.truncated, seen.certificate, fetch.count.value) == (200, OK.body, False, None, 1)
    assert seen.latency > 0


def test_head(serve: Serve, fetch: Fetcher) -> None:
    site = serve(ok)
    seen = fetch(site.url, method="HEAD")
    assert (site.lines, seen.status, seen.body, seen.headers["Content-Length"]) == (["HEAD /"], 200, b"", str(len(OK.body)))


def test_each_attempt_has_a_connection_of_its_own(serve: Serve, fetch: Fetcher) -> None:
    site = serve(ok)
    fetch(site.url)
    fetch(site.url)
    assert len({request.connection for request in site.log}) == 2


@pytest.mark.parametrize("where", ["options", "address"])
def test_basic_authentication(serve: Serve, fetch: Fetcher, where: str) -> None:
    site = serve(ok)
    if where == "options":
        fetch(site.url, url_username="ü", url_password="p:w")
    else:
        fetch(f"http://%C3%BC:p%3Aw@{site.netloc}/")
    assert site.log[0].headers["Authorization"] == "Basic " + base64.b64encode("ü:p:w".encode()).decode()


def redirecting(targets: t.Mapping[str, str], status: int = 302) -> t.Callable[[Request], Reply]:
    return lambda request: Reply(status, headers={"Location": targets[request.path]}) if request.path in targets else OK


def test_redirects_within_the_origin(serve: Serve, fetch: Fetcher) -> None:
    site = serve(redirecting({"/": "/a", "/a": "b"}))
    seen = fetch(site.url, request_headers={"Authorization": "Bearer t0ken"}, method="HEAD")
    assert site.lines == ["HEAD /", "HEAD /a", "HEAD /b"]
    assert [request.headers["Authorization"] for request in site.log] == ["Bearer t0ken"] * 3
    assert (seen.status, fetch.count.value) == (200, 3)


def test_a_redirect_to_another_origin_is_the_answer(serve: Serve, fetch: Fetcher) -> None:
    other = serve(ok)
    site = serve(redirecting({"/": f"http://u:p@{other.netloc}/x?code=c0de"}))
    seen = fetch(site.url)
    assert (seen.status, other.log) == (302, [])
    assert f"{other.url}/x?code=" in seen.not_followed
    assert "c0de" not in seen.not_followed
    assert "u:p" not in seen.not_followed


def test_no_redirect_is_followed_unless_wanted(serve: Serve, fetch: Fetcher) -> None:
    site = serve(redirecting({"/": "/a"}))
    seen = fetch(site.url, follow_redirects="none")
    assert (seen.status, site.lines, seen.headers["Location"]) == (302, ["GET /"], "/a")
    assert "follow_redirects: none" in seen.not_followed


@pytest.mark.parametrize("target", ["ftp://x.test/", "http://[x/", ""])
def test_a_redirect_to_nowhere_is_the_answer(serve: Serve, fetch: Fetcher, target: str) -> None:
    headers = {"Location": target} if target else {}
    site = serve(lambda request: Reply(301, headers=headers))
    seen = fetch(site.url, follow_redirects="all")
    assert (seen.status, len(site.log)) == (301, 1)
    assert "names no http(s) address" in seen.not_followed


@pytest.mark.parametrize(
    "login", [{"url_username": "u", "url_password": "p"}, {"request_headers": {"Authorization": "x", "X": "y"}}]
)
def test_credentials_never_go_to_another_origin(serve: Serve, fetch: Fetcher, login: dict[str, t.Any]) -> None:
    other = serve(ok)
    site = serve(redirecting({"/": f"http://a:b@{other.netloc}/x"}))
    seen = fetch(site.url, follow_redirects="all", **login)
    assert (seen.status, other.lines, fetch.count.value) == (200, ["GET /x"], 2)
    assert "Authorization" in site.log[0].headers
    assert not {"Authorization", "X"} & set(other.log[0].headers)


def test_cookies_are_for_their_origin_only(serve: Serve, fetch: Fetcher) -> None:
    other = serve(redirecting({"/": "/there"}))
    targets = {"/": "/a", "/a": f"{other.url}/"}
    site = serve(lambda request: Reply(302, headers={"Location": targets[request.path], "Set-Cookie": "id=s3cret; Path=/"}))
    fetch(site.url, follow_redirects="all")
    assert [request.headers.get("Cookie") for request in site.log] == [None, "id=s3cret"]
    assert [request.headers.get("Cookie") for request in other.log] == [None, None]


def test_a_circle_of_redirects_ends(serve: Serve, fetch: Fetcher) -> None:
    site = serve(redirecting({"/": "/"}))
    assert fetch.fails(site.url) == f"more than 5 redirects, the last one to {site.url}/"
    assert len(site.log) == fetch.count.value == 6


def test_the_body_is_read_up_to_the_limit(serve: Serve, fetch: Fetcher) -> None:
    site = serve(lambda request: Reply(body=b"0123456789"))
    assert [fetch(site.url, max_body=size).body for size in (4, 10, 11)] == [b"0123", b"0123456789", b"0123456789"]
    assert [fetch(site.url, max_body=size).truncated for size in (9, 10)] == [True, False]


def test_a_compressed_body_is_read_up_to_the_limit(serve: Serve, fetch: Fetcher) -> None:
    site = serve(lambda request: Reply(body=gzip.compress(b"x" * 10_000_000), headers={"Content-Encoding": "gzip"}))
    seen = fetch(site.url)
    assert (len(seen.body), seen.truncated) == (1024 * 1024, True)


@pytest.mark.parametrize("endless", [True, False])
@pytest.mark.parametrize("prelude", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"])
def test_a_server_that_drips_is_too_slow(serve: Serve, fetch: Fetcher, endless: bool, prelude: bytes) -> None:
    # first head and body, then a head without end
    raw = prelude + b"x" * 5000 if prelude else b"HTTP/1.1 200 OK\r\nX: " + b"x" * 5000
    site = serve(lambda request: Reply(raw=raw.replace(b"Content-Length: 5000\r\n", b"") if endless else raw, drip=0.02))
    began = time.monotonic()
    assert fetch.fails(site.url, request_timeout=0.5) == f"no complete response from {site.url} within 0.5 s"
    # all of it would take 100 s
    assert time.monotonic() - began < 50
    assert fetch.count.value == 1


def test_a_redirect_does_not_begin_the_time_again(serve: Serve, fetch: Fetcher) -> None:
    # some 50 bytes, so that seven of them take 3.5 s at least, and on a busy machine the first one is there in time all the same
    site = serve(lambda request: Reply(302, headers={"Location": "/"}, drip=0.01))
    assert "within 3 s" in fetch.fails(site.url, request_timeout=3)
    assert 1 < fetch.count.value <= 7


def test_a_server_that_says_nothing(serve: Serve, fetch: Fetcher) -> None:
    site = serve(lambda request: Reply(raw=b"H", drip=30))
    assert f"from {site.url} within 0.3 s" in fetch.fails(site.url, request_timeout=0.3)


@pytest.fixture
def closed_port() -> t.Iterator[int]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]


def test_a_refused_connection(fetch: Fetcher, closed_port: int) -> None:
    assert (
        fetch.fails(f"http://127.0.0.1:{closed_port}/?t=s3cret")
        == f"cannot talk to http://127.0.0.1:{closed_port}: Connection refused"
    )
    assert fetch.count.value == 0


def test_a_name_that_cannot_be_resolved(fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert fetch.fails("http://nowhere.test/") == "cannot talk to http://nowhere.test: Name or service not known"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\nxxxxxxxxxxxxxxxxxxxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nx",
    ],
    ids=["nothing", "nonsense", "not_gzip", "not_chunked", "half"],
)
def test_answers_that_are_none(serve: Serve, fetch: Fetcher, raw: bytes) -> None:
    site = serve(lambda request: Reply(raw=raw))
    assert fetch.fails(site.url).startswith(f"cannot talk to {site.url}: ")
    assert (len(site.log), fetch.count.value) == (1, 1)


def test_a_certificate_is_that_of_the_connection(
    serve: Serve, fetch: Fetcher, certificate: tuple[str, str], tmp_path: pathlib.Path
) -> None:
    short = new_certificate(tmp_path / "short", 2.5)
    sites = [serve(ok, certificate), serve(ok, short)]
    clock = SystemClock()
    days = []
    for site, (ca, dummy) in zip(sites, (certificate, short), strict=True):
        seen = fetch(site.url, ca_path=ca)
        assert seen.certificate
        assert seen.certificate.not_after == x509.load_pem_x509_certificate(pathlib.Path(ca).read_bytes()).not_valid_after_utc
        days.append(seen.certificate.days(clock.now()))
    assert days == [10, 2]


def test_an_untrusted_certificate(serve: Serve, fetch: Fetcher, certificate: tuple[str, str]) -> None:
    site = serve(ok, certificate)
    message = fetch.fails(site.url)
    assert message.startswith(f"TLS with {site.url} failed: ")
    assert "self-signed certificate" in message.replace("self signed", "self-signed")
    assert (site.log, fetch.count.value) == ([], 0)


def test_an_expired_certificate(serve: Serve, fetch: Fetcher, tmp_path: pathlib.Path) -> None:
    expired = new_certificate(tmp_path / "tls", -1.5)
    site = serve(ok, expired)
    assert "expired" in fetch.fails(site.url, ca_path=expired[0])


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_that_is_not_validated(
    serve: Serve, fetch: Fetcher, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve(ok, new_certificate(tmp_path / "tls", -1.5))
    seen = fetch(site.url, validate_certs=False)
    assert seen.certificate
    assert seen.certificate.days(SystemClock().now()) == -2
    monkeypatch.setitem(sys.modules, "cryptography", None)
    seen = fetch(site.url, validate_certs=False)
    assert seen.certificate
    assert (seen.certificate.not_after, "cryptography" in seen.certificate.problem) == (None, True)


def test_a_certificate_that_cannot_be_read() -> None:
    assert http.decode_certificate(None).problem == "the server shows none"
    assert http.decode_certificate(b"nonsense").problem == "it cannot be read"


def test_a_client_certificate_goes_to_its_origin_only(serve: Serve, fetch: Fetcher, certificate: tuple[str, str]) -> None:
    ca, key = certificate
    other = serve(ok, certificate, client_ca=ca)
    site = serve(redirecting({"/": f"{other.url}/"}), certificate, client_ca=ca)
    assert fetch(site.url, ca_path=ca, client_cert=ca, client_key=key).status == 302
    fetch.fails(site.url, ca_path=ca)
    assert len(site.log) == 1
    fetch.fails(site.url, ca_path=ca, client_cert=ca, client_key=key, follow_redirects="all")
    assert (len(site.log), other.log) == (2, [])


def test_plain_http_after_tls_has_no_certificate(serve: Serve, fetch: Fetcher, certificate: tuple[str, str]) -> None:
    plain = serve(ok)
    site = serve(redirecting({"/": f"{plain.url}/"}), certificate)
    assert fetch(site.url, ca_path=certificate[0], follow_redirects="all").certificate is None


def test_no_way_through_a_socks_proxy(serve: Serve, fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1")
    assert "SOCKS" in fetch.fails(serve(ok).url)


def test_a_proxy_is_used(serve: Serve, fetch: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = serve(ok)
    monkeypatch.setenv("http_proxy", proxy.url)
    assert fetch("http://shop.example.test/x").status == 200
    assert [request.target for request in proxy.log] == ["http://shop.example.test/x"]
