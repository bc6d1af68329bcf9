"""What goes out: only to places that may be asked, and never without an end."""

import contextlib
import email.utils
import gzip
import http.server
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.errors import BadInput, Unavailable
from touchline.net import Answer, Client, Limits, Reach, addresses


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers by the table of its server: path → (status, headers, body), or a list of these."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        length = int(self.headers.get("content-length") or 0)
        told = (self.command, self.path, dict(self.headers), self.rfile.read(length))
        self.server.asked.append(told)
        found = self.server.answers[self.path.partition("?")[0]]
        status, headers, body = found.pop(0) if isinstance(found, list) else found
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  # the library asks for it by this name

    def log_message(self, *_):
        pass


@pytest.fixture
def shop():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    server.asked, server.answers = [], {"/": (200, {}, b"hello")}
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def waited():
    return []


@pytest.fixture
def client(waited):
    with Client(Reach(["127.0.0.1"]), wait=waited.append) as made:
        yield made


PRIVATE = (
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "fec0::1",
    "::7f00:1",
    "ff02::1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused_whatever_they_are_called(address):
    with pytest.raises(BadInput) as told:
        addresses(address, 443, Reach())
    assert told.value.code == "address_refused"


@pytest.mark.parametrize("form", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"])
def test_other_spellings_of_loopback_are_refused(form):
    with Client() as client, pytest.raises((BadInput, Unavailable)):
        client.send("GET", f"https://{form}/")


def test_a_name_is_asked_once_and_the_checked_address_is_dialled(shop, monkeypatch):
    """A name that answers with a public address first and a private one then gains nothing."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    port = shop.server_address[1]
    dialled = []

    def resolve(host, number, **_):
        found = answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, number)) for a in found]

    def connect(address, *_):
        dialled.append(address)
        raise OSError(111, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    limits = Limits(tries=2)
    with Client(limits=limits, wait=lambda _: None) as client, pytest.raises(BadInput):
        client.send("GET", f"https://evil.example:{port}/")
    assert dialled == [("93.184.215.14", port)]


def test_a_redirect_is_an_answer_and_leads_nowhere(shop, client):
    shop.answers["/"] = (302, {"Location": "/b"}, b"moved")
    answer = client.send("GET", shop.url, headers={"Authorization": "Bearer x"})
    assert (answer.status, answer.header("location"), answer.body) == (302, "/b", b"moved")
    assert [path for _, path, *_ in shop.asked] == ["/"]


@pytest.mark.parametrize(
    "url",
    ["ftp://x.cn/", "https://", "file:///etc/passwd", "https://a:b@x.cn/", "nothing",
     "https://x.cn:99999/", "https://[::1", "gopher://x.cn", "https://\ud800.cn/"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(url):
    with Client() as client, pytest.raises(BadInput) as told:
        client.send("GET", url)
    assert told.value.code == "no_web_address"
    assert "a:b" not in told.value.text("en")


def test_plain_http_is_only_for_places_that_are_listed(shop):
    with Client() as client, pytest.raises(BadInput) as told:
        client.send("GET", "http://example.com/")
    assert told.value.code == "plain_http"
    port = shop.server_address[1]
    with Client(Reach([f"127.0.0.1:{port}"])) as client:
        assert client.send("GET", shop.url).body == b"hello"
        with pytest.raises(BadInput):
            client.send("GET", f"http://127.0.0.1:{port + 1}/")


def test_it_stays_away_as_long_as_it_is_asked_to(shop, client, waited):
    busy = (429, {"Retry-After": "7"}, b"")
    later = email.utils.formatdate(time.time() + 3, usegmt=True)
    dated = (503, {"Retry-After": later}, b"")
    shop.answers["/"] = [busy, dated, (200, {}, b"now")]
    shop.answers["/long"] = (429, {"Retry-After": "4000"}, b"")
    assert client.send("GET", shop.url).body == b"now"
    assert waited[0] == 7
    assert 1 <= waited[1] <= 4
    answer = client.send("GET", f"{shop.url}/long")
    assert (answer.status, answer.retry_after()) == (429, 4000)


def test_the_date_to_come_back_at_is_counted_from_the_date_of_the_answer():
    headers = [
        ("Date", "Mon, 01 Jan 2035 00:00:00 GMT"),
        ("Retry-After", "Mon, 01 Jan 2035 00:00:30 GMT"),
    ]
    assert Answer(503, "", headers, b"").retry_after() == 30
    assert Answer(503, "", headers[1:], b"").retry_after() is None
    assert Answer(503, "", [("Retry-After", "soon")], b"").retry_after() is None


def test_a_request_that_may_have_been_done_is_not_sent_twice(shop, client, waited):
    shop.answers["/"] = (502, {}, b"")
    assert client.send("POST", shop.url, body=b"x").status == 502
    assert len(shop.asked) == 1
    shop.asked.clear()
    client.send("POST", shop.url, body=b"x", is_repeatable=True)
    assert len(shop.asked) == Limits().tries
    assert waited == sorted(waited)


def test_large_answers_and_bombs_are_cut_off(shop):
    shop.answers["/large"] = (200, {}, b"x" * 5_000)
    bomb = gzip.compress(b"\0" * 5_000_000)
    shop.answers["/bomb"] = (200, {"Content-Encoding": "gzip"}, bomb)
    small = gzip.compress("好".encode())
    shop.answers["/packed"] = (200, {"Content-Encoding": "gzip"}, small)
    shop.answers["/torn"] = (200, {"Content-Encoding": "gzip"}, b"\x1f\x8bno")
    limits = Limits(max_bytes=4_000, tries=1)
    with Client(Reach(["127.0.0.1"]), limits) as client:
        for path in ("/large", "/bomb"):
            with pytest.raises(BadInput) as told:
                client.send("GET", shop.url + path)
            assert told.value.code == "answer_too_large"
        assert client.send("GET", f"{shop.url}/packed").body.decode() == "好"
        with pytest.raises(Unavailable):
            client.send("GET", f"{shop.url}/torn")


def test_one_connection_serves_many_requests_and_a_closed_one_is_replaced(shop, client):
    for _ in range(3):
        client.send("GET", shop.url)
    (kept,) = client._idle.values()
    kept.sock.shutdown(socket.SHUT_RDWR)
    assert client.send("GET", shop.url).body == b"hello"


def test_a_place_that_says_nothing_is_left(shop):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        limits = Limits(read_s=0.1, tries=1)
        started = time.monotonic()
        with Client(Reach(["127.0.0.1"]), limits) as client, pytest.raises(Unavailable) as told:
            client.send("GET", url)
    assert told.value.params["why"] == "too slow"
    assert time.monotonic() - started < 2


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_an_address_or_refused(text):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
        with Client(limits=Limits(tries=1)) as client, pytest.raises((BadInput, Unavailable)):
            client.send("GET", f"https://{text}")


def test_reach_is_of_hosts_ports_networks_and_folders(tmp_path):
    reach = Reach(["Db.Internal", "10.1.0.0/16", str(tmp_path), "[::1]:80"])
    assert reach.holds_host("db.internal", 1)
    assert reach.holds_host("::1", 80)
    assert not reach.holds_host("::1", 81)
    assert addresses("10.1.255.1", 5432, reach) == ["10.1.255.1"]
    with pytest.raises(BadInput):
        addresses("10.2.0.1", 5432, reach)
    assert reach.holds_path(tmp_path / "in" / "it")
    assert not reach.holds_path(tmp_path / ".." / "beside")
    (tmp_path / "way-out").symlink_to("/etc")
    assert not reach.holds_path(tmp_path / "way-out" / "passwd")
    with pytest.raises(BadInput):
        Reach(["10.0.0.0/99"])


@pytest.mark.parametrize("headers", [{"Content-Length": "100"}, {"Content-Encoding": "gzip"}])
def test_an_answer_cut_short_is_no_answer(shop, client, headers):
    body = gzip.compress(b"a" * 500)[:9]
    cut = (200, {**headers, "Connection": "close"}, body)
    shop.answers["/cut"] = [cut] * 20
    with pytest.raises(Unavailable):
        client.send("GET", f"{shop.url}/cut")
