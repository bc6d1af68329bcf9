"""The only outbound HTTP client: it looks at the address it dials, each time it dials.

A name is resolved here, its addresses are looked at, and the connection goes to the very address
that was found good, so a name that changes its mind in between gains nothing. Private, loopback and
link-local addresses are refused unless the site's settings list the place (`reach`). Time, size and
retries are limited. A redirect is an answer: whoever follows it asks here again.
"""

import contextlib
import email.utils
import http.client
import ipaddress
import random
import socket
import ssl
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, Self

from touchline.errors import BadInput, Unavailable

__all__ = ["Answer", "Client", "Limits", "Origin", "Reach", "addresses", "origin"]

CHUNK = 1 << 16
NOT_DONE = frozenset((429, 503))  # nothing came of the request: it may be sent again
AWAY = frozenset((502, 504))
REPEATABLE = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError)
_GZIP = 31  # zlib: a gzip header is expected

Origin = tuple[str, str, int]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reach:
    """What of the private network and of this machine may be reached: `db.internal`,
    `127.0.0.1:8123`, `10.1.0.0/16`, `/srv/exports`. Everything public may be.
    """

    def __init__(self, places: Iterable[str] = ()) -> None:
        self._hosts: set[str] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        self._folders: list[Path] = []
        for place in places:
            if place.startswith("/"):
                self._folders.append(Path(place).resolve())
            elif "/" in place:
                try:
                    self._networks.append(ipaddress.ip_network(place, strict=False))
                except ValueError:
                    why = "is no network such as 10.1.0.0/16."
                    raise BadInput("bad_argument", name="reach", value=place, why=why) from None
            elif place:
                self._hosts.add(place.lower())

    def holds_host(self, host: str, port: int) -> bool:
        shown = f"[{host}]" if ":" in host else host
        return not self._hosts.isdisjoint((host.lower(), f"{shown.lower()}:{port}"))

    def holds_address(self, address: Address) -> bool:
        return any(address in network for network in self._networks)

    def holds_path(self, path: Path) -> bool:
        """Whether a file or folder is one of the listed folders or lies in one, links followed."""
        found = path.resolve()
        return any(found.is_relative_to(folder) for folder in self._folders)


class Limits(NamedTuple):
    """`longest_pause_s`: what an answer asks for beyond it is left to whoever asked."""

    connect_s: float = 10.0
    read_s: float = 60.0
    total_s: float = 300.0
    max_bytes: int = 64 << 20
    tries: int = 5
    longest_pause_s: float = 120.0


class Answer(NamedTuple):
    """`body` is unpacked."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for own, value in self.headers if own.lower() == name), None)

    def retry_after(self) -> float | None:
        """How many seconds the sender asks us to stay away."""
        told = (self.header("retry-after") or "").strip()
        if told.isdecimal() and len(told) < 9:
            return float(told)
        then, now = _http_date(told), _http_date(self.header("date") or "")
        return None if then is None or now is None else max(0.0, then - now)


def addresses(host: str, port: int, reach: Reach) -> list[str]:
    """The addresses of a host that may be dialled. Raises when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable("host_away", host=host, why="no such name") from error
    named = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if reach.holds_host(host, port):
        return named
    good = [name for name in named if _may_dial(name, reach)]
    if not good:
        raise BadInput("address_refused", host=host)
    return good


class Client:
    """One asker: keeps a connection per place, and is closed by `close` or `with`."""

    def __init__(
        self,
        reach: Reach | None = None,
        limits: Limits | None = None,
        *,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._reach = reach or Reach()
        self._limits = limits or Limits()
        self._wait = wait
        self._idle: dict[Origin, http.client.HTTPConnection] = {}
        self._tls: ssl.SSLContext | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        while self._idle:
            self._idle.popitem()[1].close()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        is_repeatable: bool | None = None,
    ) -> Answer:
        """The answer, whatever its status. Raises BadInput for a place that may not be asked and
        Unavailable for one that does not answer. `is_repeatable`: sending it twice does no harm.
        """
        sent = dict(headers or {})
        again = method in REPEATABLE if is_repeatable is None else is_repeatable
        left = self._limits.tries
        while True:
            left -= 1
            pause = min(2.0 ** (self._limits.tries - left - 1), 30.0) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
            try:
                answer = self._once(method, url, sent, body, again)
            except Unavailable:
                if not (again and left):
                    raise
            else:
                may_repeat = answer.status in NOT_DONE or (again and answer.status in AWAY)
                told = answer.retry_after()
                pause = pause if told is None else told
                if not (may_repeat and left) or pause > self._limits.longest_pause_s:
                    return answer
            self._wait(pause)

    def _once(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, again: bool
    ) -> Answer:
        scheme, host, port = place = origin(url)
        if scheme == "http" and not self._reach.holds_host(host, port):
            raise BadInput("plain_http", host=host)
        kept = self._idle.pop(place, None) if again else None
        try:
            if kept is not None:
                with contextlib.suppress(*STALE):  # it was closed while nobody asked
                    return self._exchange(kept, place, method, url, headers, body)
                kept.close()
            return self._exchange(self._connection(place), place, method, url, headers, body)
        except http.client.InvalidURL as error:
            raise BadInput("no_web_address", url=_shown(url)) from error
        except (OSError, http.client.HTTPException, zlib.error, UnicodeError) as error:
            raise Unavailable("host_away", host=host, why=_reason(error)) from error

    def _connection(self, place: Origin) -> http.client.HTTPConnection:
        scheme, host, port = place
        connection: http.client.HTTPConnection
        if scheme == "https":
            # Made when it is needed: reading all certificates of the system takes a while.
            self._tls = self._tls or ssl.create_default_context()
            connection = _Secure(host, port, timeout=self._limits.read_s, context=self._tls)
        else:
            connection = _Plain(host, port, timeout=self._limits.read_s)
        connection.dial = lambda: self._dial(host, port)
        return connection

    def _dial(self, host: str, port: int) -> socket.socket:
        last: OSError | None = None
        for address in addresses(host, port, self._reach):
            try:
                dialled = socket.create_connection((address, port), self._limits.connect_s)
            except OSError as error:
                last = error
                continue
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            dialled.settimeout(self._limits.read_s)
            return dialled
        raise last or OSError("no address")

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        place: Origin,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
    ) -> Answer:
        deadline = time.monotonic() + self._limits.total_s
        asked = {"User-Agent": "Touchline", "Accept-Encoding": "gzip", **headers}
        is_kept = False
        try:
            connection.request(method, _target(url), body=body, headers=asked)
            with connection.getresponse() as response:
                found = self._body(response, deadline, place[1])
                is_kept = not response.will_close
                return Answer(response.status, response.reason, response.getheaders(), found)
        finally:
            replaced = self._idle.pop(place, None) if is_kept else connection
            if is_kept:
                self._idle[place] = connection
            if replaced is not None:
                replaced.close()

    def _body(self, response: http.client.HTTPResponse, deadline: float, host: str) -> bytes:
        coding = (response.getheader("content-encoding") or "identity").strip().lower()
        packed = zlib.decompressobj(_GZIP) if coding in ("gzip", "x-gzip") else None
        most = self._limits.max_bytes
        found, promised, came = bytearray(), response.length, 0
        while part := response.read1(CHUNK):
            came += len(part)
            if time.monotonic() > deadline:
                raise Unavailable("host_away", host=host, why="too slow")
            found += part if packed is None else packed.decompress(part, most + 1 - len(found))
            if len(found) > most or (packed is not None and packed.unconsumed_tail):
                raise BadInput("answer_too_large", host=host, limit=most)
        is_open = packed is not None and came > 0 and not packed.eof
        if came < (promised or 0) or is_open:
            raise Unavailable("host_away", host=host, why="the answer was cut short")
        return bytes(found)


class _Plain(http.client.HTTPConnection):
    dial: Callable[[], socket.socket]

    def connect(self) -> None:
        self.sock = self.dial()


class _Secure(http.client.HTTPSConnection):
    dial: Callable[[], socket.socket]

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=timeout, context=context)
        self._own_context = context

    def connect(self) -> None:
        self.sock = self._own_context.wrap_socket(self.dial(), server_hostname=self.host)


def _may_dial(name: str, reach: Reach) -> bool:
    address = ipaddress.ip_address(name.partition("%")[0])
    return reach.holds_address(address) or _is_public(address)


def _is_public(address: Address) -> bool:
    """Public, and no public form of a private address either."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
        if any(address in within for within in _HOLDS_IPV4):
            return False
    return address.is_global and not address.is_multicast


_HOLDS_IPV4 = (ipaddress.ip_network("64:ff9b::/32"), ipaddress.ip_network("::/96"))


def origin(url: str) -> Origin:
    """Scheme, host, port. Raises BadInput for what is no web address, or holds a password."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
        port = parts.port
    except (ValueError, UnicodeError):
        host, port, parts = "", None, None
    if not host or parts is None or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise BadInput("no_web_address", url=_shown(url))
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80)


def _target(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    safe = "/%:@!$&'()*+,;=~-._?"
    path = urllib.parse.quote(parts.path or "/", safe=safe)
    return f"{path}?{urllib.parse.quote(parts.query, safe=safe)}" if parts.query else path


def _shown(url: str) -> str:
    """An address for a message: without its query and without a password."""
    text = url.partition("?")[0]
    scheme, mark, rest = text.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"[:200]


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "too slow"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__


def _http_date(text: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
