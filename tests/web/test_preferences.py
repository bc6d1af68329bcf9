"""The pages behind signed links, asked for as browsers, mail programs and attackers do."""

import asyncio
import json
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx
import pytest
import sqlalchemy as sa

import build
from build import Tracker, track
from touchline.collect.preference_link import PreferenceSigner
from touchline.errors import Unavailable
from touchline.identity.people import Registry
from touchline.jobs import definitions, job
from touchline.jobs.commands import COMMANDS
from touchline.jobs.intake.writer import Writer
from touchline.jobs.kinds import KINDS
from touchline.jobs.privacy import consent, preferences
from touchline.jobs.queries import QUERIES
from touchline.web.app import api
from touchline.web.dispatch import Dispatch
from touchline.web.keys import Keys
from touchline.web.script import Script
from touchline.web.served import Served

EMAIL = "ann@shop.cn"


class Worker:
    """Answers in this process, and does its jobs before the next question."""

    def __init__(self, workspace):
        self.workspace, self.writer = workspace, Writer(workspace)
        self.registry = Registry(workspace)
        self.asked = 0
        self.is_away = False

    def acting(self, _actor):
        return self

    async def whole(self, name, args, *, timeout_s=None):
        self.asked += 1
        if self.is_away:
            raise Unavailable("worker_away")
        if name in QUERIES:
            found = QUERIES[name](self.workspace, self.registry, args)
        else:
            found = COMMANDS[name](self.workspace, self.registry, args)
        runs = {k: lambda a, p, run=run: run(self.writer, a, p) for k, run in KINDS.items()}
        while job.run_next(self.workspace.state, runs):
            pass
        return json.dumps(found, default=str).encode()


class Page(HTMLParser):
    """The fields of a page, its ticks, its visible text and all its tags."""

    def __init__(self, text):
        super().__init__()
        self.fields, self.ticked, self.boxes, self.tags, self.text = {}, set(), [], [], ""
        self.labels = 0
        self.feed(text)

    def handle_starttag(self, name, attributes):
        own = dict(attributes)
        self.tags.append((name, own))
        if name == "input" and own.get("type") == "hidden":
            self.fields[own["name"]] = own["value"]
        if own.get("type") == "checkbox":
            self.boxes.append(own["name"])
            if "checked" in own:
                self.ticked.add(own["name"])

    def handle_data(self, data):
        self.text += data

    def sent(self, *ticked, **more):
        return urlencode({**self.fields, **dict.fromkeys(ticked, "yes"), **more}).encode()


class Site:
    def __init__(self, workspace):
        self.worker = Worker(workspace)
        signer = PreferenceSigner(workspace.vault.derived("preferences"))
        app = api(Served(self.worker, Keys(workspace), True, {}, signer))
        self.app = Dispatch(None, app, Script())
        self.workspace = workspace

    def ask(self, path, method="GET", body=None, **headers):
        async def go():
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
                return await client.request(method, path, content=body, headers=headers)

        return asyncio.run(go())

    def admin(self, path, method="GET", **body):
        sent = json.dumps(body).encode() if method == "POST" else None
        kind = {"content-type": "application/json"}
        return self.ask(path, method, sent, authorization=f"Bearer {'a' * 8}", **kind)

    def links(self, **asked):
        answer = self.admin(f"/api/v1/people/email:{EMAIL}/preferences-link", "POST", **asked)
        assert answer.status_code == 200
        return answer.json()

    def allowed(self):
        rows = self.admin("/api/v1/people/ann/consent").json()["permissions"]
        found = {(r["purpose"], r["channel"]) for r in rows if r["is_allowed"]}
        return {".".join(filter(None, pair)) for pair in found}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    workspace = build.workspace(tmp_path_factory.mktemp("site") / "w")
    with workspace.write_lock():
        kept = preferences.SOON_S, consent.PATIENCE_S
        preferences.SOON_S = consent.PATIENCE_S = 0.0  # the worker of this test waits for none
        question = {"name": "skin", "label": {"en": "Skin", "zh": "肤质"}, "choices": ["<dry>"]}
        policy = "https://shop.cn/privacy"
        definitions.apply(workspace, {"consent": {"policy": policy, "question": [question]}})
        who = {"context": {"traits": {"email": EMAIL}}}
        Tracker(workspace).send(track("a", "Visit", **who))
        site = Site(workspace)
        site.worker.writer.catch_up()
        yield site
        preferences.SOON_S, consent.PATIENCE_S = kept
    workspace.close()


@pytest.fixture
def site(made):
    """Before each test Ann has refused nothing but marketing."""
    made.worker.is_away = False
    path = made.links()["url"]
    page = Page(made.ask(path).text)
    made.ask(path, "POST", page.sent("analytics", "linking"))
    return made


def test_the_page_needs_no_script_loads_nothing_and_has_a_label_for_every_field(site):
    answer = site.ask(site.links()["url"])
    page = Page(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    names = [name for name, _ in page.tags]
    assert not {"script", "img", "link", "iframe"} & set(names)
    assert names.count("legend") == names.count("fieldset") == 6
    labels = [own.get("for") for name, own in page.tags if name == "label"]
    assert len(labels) == len(page.boxes) + 1
    assert ("html", {"lang": "en"}) in page.tags
    assert "For a***@shop.cn" in page.text
    assert EMAIL not in answer.text
    assert 'href="https://shop.cn/privacy"' in answer.text


def test_it_is_there_in_chinese_for_who_reads_it_and_for_who_asks(site):
    path = site.links()["url"]
    shown = site.ask(path, **{"accept-language": "zh-CN,zh;q=0.9"}).text
    assert '<html lang="zh-CN">' in shown
    assert "隐私与订阅设置" in shown
    assert shown == site.ask(f"{path}?lang=zh").text


def test_what_is_ticked_is_taken_and_what_was_left_alone_is_no_answer(site):
    path = site.links()["url"]
    page = Page(site.ask(path).text)
    assert page.ticked == {"analytics", "linking"}
    answer = site.ask(path, "POST", page.sent(*page.ticked, "marketing.email"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?lang=en&saved=1")
    assert site.allowed() == {"analytics", "linking", "marketing.email"}
    after = site.ask(answer.headers["location"])
    assert 'role="status"' in after.text
    assert Page(after.text).ticked == {"analytics", "linking", "marketing.email"}
    rows = len(site.admin("/api/v1/people/ann/consent").json()["ledger"])
    site.ask(path, "POST", Page(after.text).sent("analytics", "linking", "marketing.email"))
    assert len(site.admin("/api/v1/people/ann/consent").json()["ledger"]) == rows


def test_one_button_refuses_everything(site):
    path = site.links()["url"]
    page = Page(site.ask(path).text)
    site.ask(path, "POST", page.sent(*page.boxes, _refuse="all"))
    assert site.allowed() == set()


def test_who_unticks_the_last_way_of_a_purpose_refuses_it_whole(site):
    path = site.links()["url"]
    ways = [box for box in Page(site.ask(path).text).boxes if box.startswith("marketing.")]
    said = "SELECT is_granted FROM consent WHERE purpose = 'marketing' AND channel = ''"
    state, counts = site.workspace.state, []
    for ticked in (ways, ways[1:], ways[2:3], []):
        site.ask(path, "POST", Page(site.ask(path).text).sent("analytics", "linking", *ticked))
        assert site.allowed() == {"analytics", "linking", *ticked}
        counts.append(len(state.read(sa.text(said))))
    assert counts[0] == counts[1] == counts[2] < counts[3]


def test_an_answer_is_kept_and_shown_and_is_only_text(site):
    path = site.links()["url"]
    page = Page(site.ask(path).text)
    site.ask(path, "POST", page.sent(*page.ticked, **{"q.skin": "<dry>"}))
    shown = site.ask(path).text
    assert '<option value="&lt;dry&gt;" selected>' in shown
    assert "<dry>" not in shown


def test_a_mail_program_unsubscribes_with_one_post_and_who_looks_at_the_link_does_not(site):
    site.admin("/api/v1/people/ann/consent", "POST", purpose="marketing", granted=True)
    path = site.links()["url"]
    page = Page(site.ask(path).text)
    every = [f"marketing.{c}" for c in ("email", "sms", "wechat", "phone", "ads")]
    site.ask(path, "POST", page.sent(*page.ticked, *every))
    found = site.links(channel="email", host="https://t")
    place = found["headers"]["List-Unsubscribe"].strip("<>").removeprefix("https://t")
    assert "E-mail" in site.ask(place).text
    assert "marketing.email" in site.allowed()
    kind = "application/x-www-form-urlencoded"
    answer = site.ask(place, "POST", b"List-Unsubscribe=One-Click", **{"content-type": kind})
    assert answer.status_code == 200
    assert not {"marketing.email"} & site.allowed()
    assert "marketing.sms" in site.allowed()
    assert site.ask(place, "POST").status_code == 200


HOSTILE = (
    *(b"", b"\xff" * 50, b"_keys=" + b"," * 9000, b"_keys=marketing.email%00&_on=\xe9", b"=&=&&="),
    *(b"&".join([b"_keys=a"] * 5000), b"q.skin=" + b"x" * 60_000),
)


def test_a_body_of_whatever_kind_agrees_to_nothing(site):
    path, before = site.links()["url"], site.allowed()
    for body in HOSTILE:
        assert site.ask(path, "POST", body).status_code == 303
    assert site.allowed() == before


def test_too_large_a_body_is_not_read_on(site):
    answer = site.ask(site.links()["url"], "POST", b"a=" + b"x" * 70_000)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")


@pytest.mark.parametrize("page", ["preferences", "unsubscribe"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_made_up_link_costs_the_worker_nothing_and_is_told_in_both_languages(site, page, method):
    good = site.links()["url"].rpartition("/")[2]
    site.worker.asked = 0
    for token in ("x", "A" * 300, "%00", "%E2%82", good[:-1], good + "A", "<script>"):
        answer = site.ask(f"/{page}/{token}", method)
        assert answer.status_code == 404
        assert "<script>" not in answer.text
    assert "链接无效" in site.ask(f"/{page}/x", method).text
    assert site.worker.asked == 0


def test_a_link_is_good_for_its_own_use_only(site):
    found = site.links()
    token = found["url"].rpartition("/")[2]
    assert site.ask(f"/unsubscribe/{token}", "POST").status_code == 404
    other = found["unsubscribe_url"].rpartition("/")[2]
    assert (
        site.ask(f"/preferences/{other}", "POST", b"_keys=sharing&sharing=yes").status_code == 404
    )


def test_while_nothing_can_be_written_people_are_asked_to_come_again(site):
    path = site.links()["url"]
    site.worker.is_away = True
    for method in ("GET", "POST"):
        answer = site.ask(path, method, b"_keys=sharing&sharing=yes")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_the_api_needs_a_key_and_says_what_is_wrong(site):
    path = "/api/v1/people/ann/consent"
    assert site.ask(path).status_code == 401
    assert site.ask("/api/v1/people/ann/preferences-link", "POST", b"{}").status_code == 401
    assert site.admin(path, "POST", purpose="magic", granted=True).json()["code"] == "bad_argument"
    assert site.admin(path, "POST", purpose="sharing").status_code == 400
    assert site.admin("/api/v1/people/nobody/consent").status_code == 404
