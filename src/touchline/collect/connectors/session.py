"""The session dlt's REST client asks through: requests in form, our guarded client in fact.

Nothing of requests or urllib3 ever opens a connection. Only places that the definition names are
asked: credentials go in any header, so a redirect or a next page of another origin is refused.
"""

import io
from collections.abc import Iterable
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from touchline.errors import BadInput
from touchline.net import Client, Origin, origin

__all__ = ["GuardedSession"]

REDIRECTS = 5
_PACKED = frozenset(("content-encoding", "content-length", "transfer-encoding"))


class GuardedSession(requests.Session):
    """`client` sends everything, to the origins of these addresses and no other. Copies of a
    configuration share the session.
    """

    def __init__(self, client: Client, named: Iterable[str]) -> None:
        super().__init__()
        self.trust_env = False
        self.max_redirects = REDIRECTS
        self.adapters.clear()
        adapter = _Adapter(client, frozenset(map(origin, named)))
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)

    def __deepcopy__(self, _memo: Any) -> "GuardedSession":
        return self


class _Adapter(BaseAdapter):
    def __init__(self, client: Client, origins: frozenset[Origin]) -> None:
        super().__init__()
        self._client = client
        self._origins = origins

    def send(
        self, request: requests.PreparedRequest, *_given: Any, **_options: Any
    ) -> requests.Response:
        url = request.url or ""
        place = origin(url)
        if place not in self._origins:
            raise BadInput("source_leads_elsewhere", place="{}://{}:{}".format(*place))
        body: Any = request.body  # text or bytes: nothing here is streamed
        answer = self._client.send(
            request.method or "GET",
            url,
            headers={name: _text(of) for name, of in request.headers.items()},
            body=body.encode() if isinstance(body, str) else body,
            is_repeatable=True,  # a POST of a report API is a question
        )
        response = requests.Response()
        response.status_code = answer.status
        response.reason = answer.reason
        response.headers = CaseInsensitiveDict(
            (name, of) for name, of in answer.headers if name.lower() not in _PACKED
        )
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = io.BytesIO(answer.body)
        response.url = url
        response.request = request
        return response

    def close(self) -> None:
        """The client is closed by whoever made it."""


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
