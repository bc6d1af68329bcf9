"""What real clients sent, as tests/e2e/record.py wrote it down."""

import base64
import json
from pathlib import Path
from typing import NamedTuple

from touchline.model import RawRequest

FOLDER = Path(__file__).parent / "collect/protocols/recorded"


class Sent(NamedTuple):
    """`client`: the name of its recording, `package` that of the client with its version."""

    protocol: str
    client: str
    package: str
    received_us: int
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def request(self, received_us: int | None = None) -> RawRequest:
        return RawRequest(
            received_us=received_us or self.received_us,
            source="web",
            path=self.path,
            query=self.query,
            body=self.body,
            headers=self.headers,
            user_agent=self.headers.get("user-agent"),
            ip="203.0.113.0",
            request_id=b"r" * 16,
        )


def sent(pattern: str = "*/*") -> list[Sent]:
    """The requests of all clients whose `protocol/name` is like this, in the order they came."""
    found: list[Sent] = []
    for place in sorted(FOLDER.glob(f"{pattern}.json")):
        made = json.loads(place.read_text(encoding="utf-8"))
        for one in made["requests"]:
            packed = one.pop("body_base64", None)
            body = base64.b64decode(packed) if packed else one.pop("body").encode()
            about = (place.parent.name, place.stem, made["client"])
            found.append(Sent(*about, **one, body=body))
    return found
