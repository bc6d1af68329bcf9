"""Requests to a collector as an ASGI app, the way a server would hand them over."""

import base64
import json

from touchline.storage.access_key import key_hash


class Store:
    def __init__(self, **keys):
        self.keys = keys or {"web": "k1", "crm": "k2"}

    def write_keys(self):
        return {key_hash(key): name for name, key in self.keys.items()}

    def write_aliases(self):
        return {}

    def admin_scopes(self, key):
        return frozenset(("read",)) if key == "admin" else frozenset()


async def call(app, body=b"", *, path="/v1/track", method="POST", parts=None, **more):
    headers = [(name.encode(), value) for name, value in more.get("headers", {}).items()]
    chunks = parts or [body]
    messages = [
        {"type": "http.request", "body": part, "more_body": index + 1 < len(chunks)}
        for index, part in enumerate(chunks)
    ]
    if more.get("hangs_up"):
        messages[-1] = {"type": "http.disconnect"}
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": more.get("query", b""),
        "headers": headers,
        "client": more.get("client", ("203.0.113.77", 5555)),
    }
    await app(scope, receive, send)
    return Answer(sent)


class Answer:
    def __init__(self, sent):
        self.was_sent = bool(sent)
        if sent:
            self.status = sent[0]["status"]
            self.headers = dict(sent[0]["headers"])
            self.body = sent[1]["body"]

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def verdicts(self):
        return [(r["message_id"], r["status"], r["reason"]) for r in self.json["results"]]


def basic(key="k1"):
    return {"authorization": b"Basic " + base64.b64encode(key.encode() + b":")}


def event(message_id="m1", **more):
    return {"messageId": message_id, "event": "Sign up", "userId": "u1", **more}


def as_json(value):
    return json.dumps(value).encode()
