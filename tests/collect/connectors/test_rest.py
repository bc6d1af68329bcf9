"""An API on this machine, asked through dlt and our client: pages, signing in, 429, errors."""

import base64
import contextlib
import datetime as dt
import http.server
import json
import os
import threading
import urllib.parse

import pytest

from touchline import net
from touchline.collect.connectors.definition import sources
from touchline.collect.connectors.extract import Ask, extract
from touchline.collect.connectors.window import ALL, Window
from touchline.errors import BadInput, Unavailable
from touchline.jobs.imports.fetch import fetching

ROWS = [{"id": n, "date": f"2026-03-{n:02}", "spend": {"amount": f"{n}.50"}} for n in range(1, 8)]


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append((self.command, parts.path, query, dict(self.headers), body))
        status, headers, answer = self.server.answer(parts.path, query, self.headers)
        payload = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(payload), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(payload)

    do_POST = do_GET  # noqa: N815  # the library asks for it by this name

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads, server.asked = True, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}/v1/"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def api():
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Pauses between tries are not slept through."""
    waited = []
    made = net.Client.__init__

    def init(self, *args, **options):
        made(self, *args, **{**options, "wait": waited.append})

    monkeypatch.setattr(net.Client, "__init__", init)
    return waited


def days(text):
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days


def source(api, client=None, endpoint=None, **more):
    document = {
        "name": "ads",
        "kind": "rest_api",
        "yields": "costs",
        "columns": {"cost": "spend.amount"},
        "client": {"base_url": api.url, "paginator": "single_page", **(client or {})},
        "endpoint": {"path": "spend", "data_selector": "data", **(endpoint or {})},
        **more,
    }
    return sources([document])[0]


def pulled(tmp_path, asked, window=ALL, ask=extract, **more):
    """(what was said of the rows, the rows)"""
    folder = tmp_path / os.urandom(3).hex()
    folder.mkdir()
    question = Ask(asked, str(folder), "Asia/Shanghai", window, reach=("127.0.0.1",), **more)
    taken = ask(question, lambda _: None)
    return taken, [json.loads(line) for line in (folder / "rows.jsonl").read_bytes().splitlines()]


def paged(path, query, _headers):
    """Three rows a page, by page number, by offset, or by a cursor in the answer."""
    start = int(query.get("offset", query.get("after", 3 * (int(query.get("page", 1)) - 1))))
    following = str(start + 3) if start + 3 < len(ROWS) else None
    found = {"data": ROWS[start : start + 3], "next": following, "total": len(ROWS)}
    return 200, {}, found


PAGINATORS = {
    "page": {"type": "page_number", "base_page": 1, "total_path": None},
    "offset": {"type": "offset", "limit": 3, "total_path": "total"},
    "after": {"type": "cursor", "cursor_path": "next", "cursor_param": "after"},
}


@pytest.mark.parametrize("kind", PAGINATORS)
def test_pages_are_followed(api, tmp_path, kind):
    api.answer = paged
    taken, rows = pulled(tmp_path, source(api, {"paginator": PAGINATORS[kind]}))
    assert [row["id"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]
    assert rows[0] == {"id": 1, "date": "2026-03-01", "spend": {}, "spend.amount": "1.50"}
    assert (taken.rows, taken.is_complete) == (7, False)


def test_a_window_is_told_and_kept_to_whatever_the_api_sends(api, tmp_path):
    api.answer = lambda *_: (200, {}, {"data": ROWS[::-1]})
    params = {"since": "{start}", "until": "{last}", "range": '{"from":"{start}","to":"{end}"}'}
    asked = source(api, endpoint={"params": params}, cursor="date")
    taken, rows = pulled(tmp_path, asked, Window(days("2026-03-02"), days("2026-03-05")))
    assert [row["id"] for row in rows] == [2, 3, 4]
    assert taken.latest == days("2026-03-04")
    (_, _, query, _, _) = api.asked[0]
    assert query == {
        "since": "2026-03-02",
        "until": "2026-03-04",
        "range": '{"from":"2026-03-02","to":"2026-03-05"}',
    }
    pulled(tmp_path, asked, Window(None, None), until=days("2026-03-21"))
    (_, _, query, _, _) = api.asked[1]
    assert "since" not in query
    assert query["until"] == "2026-03-20"


@pytest.mark.parametrize(
    ("form", "start"),
    [("iso", "2026-03-01T16:00:00Z"), ("unix", "1772380800"), ("unix_ms", "1772380800000"),
     ("date", "2026-03-02"), ("%d.%m.%Y %H:%M", "02.03.2026 00:00")],
)  # fmt: skip
def test_times_are_told_in_the_form_the_api_wants(api, tmp_path, form, start):
    api.answer = lambda *_: (200, {}, {"data": []})
    asked = source(
        api,
        endpoint={"params": {"since": "{start}"}},
        yields="events",
        columns={"occurred_at": "date"},
        cursor="date",
        cursor_format=form,
    )
    pulled(tmp_path, asked, Window(days("2026-03-02") * 86_400_000_000 - 8 * 3600 * 1_000_000))
    assert api.asked[0][2]["since"] == start


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "bearer", "token": "t0ken"}, ("Authorization", "Bearer t0ken")),
        ({"type": "api_key", "name": "Access-Token", "api_key": "k3y"}, ("Access-Token", "k3y")),
        (
            {"type": "http_basic", "username": "me", "password": "pw"},
            ("Authorization", "Basic " + base64.b64encode(b"me:pw").decode()),
        ),
    ],
)
def test_signing_in(api, tmp_path, auth, expected):
    api.answer = paged
    asked = source(api)
    import msgspec

    asked = msgspec.structs.replace(asked, client={**asked.client, "auth": auth})
    pulled(tmp_path, asked)
    assert api.asked[0][3][expected[0]] == expected[1]


def test_oauth_asks_for_its_token_through_our_client_too(api, tmp_path):
    def answer(path, _query, headers):
        if path == "/v1/token":
            return 200, {}, {"access_token": "fresh", "expires_in": 3600}
        assert headers["Authorization"] == "Bearer fresh"
        return 200, {}, {"data": ROWS[:1]}

    api.answer = answer
    auth = {
        "type": "oauth2_client_credentials",
        "access_token_url": f"{api.url}token",
        "client_id": "secret:id",
        "client_secret": "secret:word",
    }
    asked = source(api, {"auth": auth})
    assert pulled(tmp_path, asked)[0].rows == 1
    assert [path for _, path, *_ in api.asked] == ["/v1/token", "/v1/spend"]
    assert api.asked[0][3]["User-Agent"]
    private = source(api, {"auth": {**auth, "access_token_url": "https://10.0.0.9/token"}})
    with pytest.raises(BadInput) as told:
        pulled(tmp_path, private)
    assert told.value.code == "address_refused"


def test_a_busy_api_is_waited_for_as_it_asks(api, tmp_path, no_waiting):
    answers = [(429, {"Retry-After": "9"}, {}), (503, {}, {}), (200, {}, {"data": ROWS[:2]})]
    api.answer = lambda *_: answers.pop(0)
    assert pulled(tmp_path, source(api))[0].rows == 2
    assert no_waiting[0] == 9
    assert len(no_waiting) == 2


@pytest.mark.parametrize(
    ("status", "body", "code", "says"),
    [
        (401, {}, "source_denied", "HTTP 401"),
        (403, {}, "source_denied", "HTTP 403"),
        (429, {}, "source_away", "HTTP 429"),
        (500, b"<html>", "source_away", "HTTP 500"),
        (400, {"error": {"message": "no field x for k3y-word"}}, "source_refused", "no field x"),
        (404, b"nothing", "source_refused", "HTTP 404"),
        (200, b"<html>hello", "source_not_json", "no JSON"),
        (200, {"data": [1, 2]}, "source_no_rows", "holds no rows"),
        (302, b"", "source_refused", "HTTP 302"),
    ],
)
def test_errors_are_told_in_words_and_without_credentials(api, tmp_path, status, body, code, says):
    where = {"Location": "/v1/spend"} if status == 302 else {}
    api.answer = lambda *_: (status, where, body)
    with pytest.raises((BadInput, Unavailable)) as told:
        pulled(tmp_path, source(api), hidden=("k3y-word",))
    assert told.value.code == code
    assert says in told.value.text("en")
    assert "k3y-word" not in told.value.text("en")


def test_rows_that_hang_on_others_are_asked_for_each(api, tmp_path):
    def answer(path, _query, _headers):
        if path == "/v1/accounts":
            return 200, {}, {"data": [{"id": "a", "name": "Alpha"}, {"id": "b", "name": "Beta"}]}
        return 200, {}, {"data": [{"date": "2026-03-01", "of": path}]}

    api.answer = answer
    parent = {"name": "accounts", "endpoint": {"path": "accounts", "data_selector": "data"}}
    asked = source(
        api,
        endpoint={"path": "accounts/{resources.accounts.id}/spend"},
        parents=[parent],
        include_from_parent=["name"],
    )
    _, rows = pulled(tmp_path, asked)
    assert [(row["of"], row["_accounts_name"]) for row in rows] == [
        ("/v1/accounts/a/spend", "Alpha"),
        ("/v1/accounts/b/spend", "Beta"),
    ]


@pytest.fixture
def elsewhere():
    """Another place that may be asked, and is not."""
    with serving() as server:
        yield server


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_another_origin_is_refused_and_gets_nothing(api, elsewhere, tmp_path, status):
    api.answer = lambda *_: (status, {"Location": f"{elsewhere.url}spend"}, b"")
    asked = source(
        api,
        {"headers": {"X-Api-Key": "secret:key"}},
        {"method": "POST", "json": {"token": "secret:body"}},
    )
    with pytest.raises(BadInput) as told:
        pulled(tmp_path, asked)
    assert told.value.code == "source_leads_elsewhere"
    assert elsewhere.url.removesuffix("/v1/") in told.value.text("en")
    assert elsewhere.asked == []


def test_a_redirect_within_the_origin_is_followed_with_its_credentials(api, tmp_path):
    def answer(path, _query, headers):
        if path == "/v1/spend":
            return 307, {"Location": "/v2/spend"}, b""
        assert headers["X-Api-Key"] == "secret:key"
        return 200, {}, {"data": ROWS[:1]}

    api.answer = answer
    asked = source(
        api, {"headers": {"X-Api-Key": "secret:key"}}, {"method": "POST", "json": {"a": 1}}
    )
    assert pulled(tmp_path, asked)[0].rows == 1
    assert [(verb, path, body) for verb, path, _, _, body in api.asked] == [
        ("POST", "/v1/spend", b'{"a": 1}'),
        ("POST", "/v2/spend", b'{"a": 1}'),
    ]


def test_a_next_page_of_another_origin_is_refused_and_gets_nothing(api, elsewhere, tmp_path):
    api.answer = lambda *_: (200, {}, {"data": ROWS[:1], "next": f"{elsewhere.url}spend"})
    auth = {"type": "bearer", "token": "secret:key"}
    asked = source(api, {"paginator": {"type": "json_link", "next_url_path": "next"}, "auth": auth})
    with pytest.raises(BadInput) as told:
        pulled(tmp_path, asked)
    assert told.value.code == "source_leads_elsewhere"
    assert elsewhere.asked == []


def test_an_address_that_the_definition_names_is_asked(api, elsewhere, tmp_path):
    elsewhere.answer = lambda *_: (200, {}, {"data": ROWS[:2]})
    assert pulled(tmp_path, source(api, endpoint={"path": f"{elsewhere.url}all"}))[0].rows == 2


def test_hostile_values_reach_the_file_as_something_the_reader_judges(api, tmp_path):
    text = b'{"data": [{"a": "\\ud800"}, {"a": 1e999}, {"a": %s}, {"a": "\\u0000"}]}' % (b"9" * 30)
    api.answer = lambda *_: (200, {}, text)
    folder_rows = pulled(tmp_path, source(api))[1]
    assert len(folder_rows) == 4


def test_a_process_of_its_own_leaves_nothing_behind(api, tmp_path, monkeypatch):
    api.answer = paged
    home, spool = tmp_path / "home", tmp_path / "spool"
    home.mkdir()
    spool.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SOURCES__REST_API__CLIENT__BASE_URL", "http://127.0.0.1:1/")
    outside = sources([{"name": "f", "kind": "filesystem", "yields": "costs", "folder": "/etc"}])[0]

    def cancelled(_rows):
        raise BadInput("job_cancelled", number=1)

    with fetching(spool) as fetch:

        def ask(question, _):
            return fetch(question, lambda _: None)

        assert pulled(spool, source(api), ask=ask)[0].rows == 3
        with pytest.raises(BadInput, match="not among the folders"):
            pulled(spool, outside, ask=ask)
        assert pulled(spool, source(api), ask=ask)[0].rows == 3
        api.answer = lambda *_: (429, {"Retry-After": "60"}, {})
        with pytest.raises(BadInput, match="cancelled"):
            pulled(spool, source(api), ask=lambda question, _: fetch(question, cancelled))
    assert not list(home.iterdir())
    assert {path.name for path in spool.rglob("*") if path.is_file()} == {
        "rows.jsonl",
        "unread.jsonl",
    }
