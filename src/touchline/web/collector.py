"""Requests of trackers → the log → what their clients want to hear, a verdict for each item.

The Segment API (POST /v1/{track,identify,page,screen,group,alias,batch}) has a way of its own,
since it has to be quick, its small requests even one without ASGI (`begin`); all other protocols
come from one table (`collect.protocols`).

A raw ASGI app without a framework: it checks the key, reads the batch, logs the request as it came
and answers when the disk has it. Nothing is answered before the sync, and nothing is lost after.
"""

import asyncio
import contextlib
import itertools
import os
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import msgspec

from touchline import clock
from touchline.collect import segment
from touchline.collect.body import GZIP, MAX_BODY
from touchline.collect.context import cut_ip
from touchline.collect.plain import Plain, plain
from touchline.collect.preview import HEADERS as PREVIEW_HEADERS
from touchline.collect.protocol import (
    Answer,
    Defined,
    Guide,
    Protocol,
    Route,
    Verdict,
    refusal,
)
from touchline.collect.protocols import read, spoken_at
from touchline.collect.visitor import HEADER, Visitors
from touchline.errors import BadInput, Denied, NotFound, TooMany, TouchlineError, Unavailable
from touchline.jobs.process import note
from touchline.model import RawRequest
from touchline.storage.log import Log
from touchline.web.answer import BROKEN, complaint, headers_of, listed, preflight, stored
from touchline.web.group import Group
from touchline.web.keys import Keys, basic_user
from touchline.web.lost import Lost
from touchline.web.quick import SMALL, Address, Begun, Headers, Tell
from touchline.web.recent import Recent
from touchline.web.rules import Rules
from touchline.web.sender import Sender, Senders
from touchline.web.turns import Turns

__all__ = ["PATHS", "Collector", "collects"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Append = Callable[["_Quick", "_Quick"], None]
SmallOf = Callable[[RawRequest, Sender], "_Small"]
TakeApart = Callable[[RawRequest], tuple[Plain, "segment.Batch | None"]]

CALLS = ("track", "identify", "page", "screen", "group", "alias", "merge", "batch", "import")
SHORT = tuple("tipsgab")
PATHS = frozenset((*(f"/v1/{call}" for call in (*CALLS, *SHORT)), "/beacon/v1/batch"))

MAX_DRAINED = 64 << 20  # read on and thrown away, so that a client comes to read our 413
BODY_S = 30.0
POST = ("POST",)
# Headers that say something of the visitor or the page; the others are the connection's.
KEPT_HEADERS = (
    b"referer",
    b"origin",
    b"accept-language",
    b"dnt",
    b"sec-gpc",
    b"x-umami-cache",
    b"x-write-key",
    b"anonymousid",
    b"sentat",
)
# What a browser asks of every site: kept also of our own calls.
SIGNALS = (b"dnt", b"sec-gpc")
# What only those routes are given that collect nothing: where the client reached us.
TOLD = (b"host", b"x-forwarded-host", b"x-forwarded-proto")
# What is looked at before a visitor is led on, and never logged.
LED_BY = (*TOLD, b"cookie", *PREVIEW_HEADERS)
MAX_HEADER = 8192
LARGE = 256 << 10  # bodies from here on are read in a thread: the loop stays free
# Who sends too much waits for its answer: one that comes again at once would keep the loop busy.
PAUSE_S = 0.25
LEAD_S = 1.0  # a visitor on the way to a page waits no longer for our disk
LATE_S = 3.0  # what is still to be logged of them when the server stops

_PROCESS = os.urandom(10)  # with a count: an id no other request ever has
_COUNT = itertools.count()
_PATHS = {path.encode(): path for path in PATHS}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(RawRequest).decode


class _GoneError(Exception):
    """The sender hung up before the end of its request."""


class _Small:
    """A request that is taken apart together with the others of its group."""

    __slots__ = ("_batch", "_found", "_recent", "_request", "_sender", "_take_apart")

    def __init__(
        self, request: RawRequest, sender: Sender, take_apart: TakeApart, recent: Recent
    ) -> None:
        self._request = request
        self._sender = sender
        self._take_apart = take_apart
        self._recent = recent

    def payload(self) -> bytes:
        request = self._request
        self._found, self._batch = self._take_apart(request)
        self._sender.spend(len(self._found.message_ids), len(request.body))
        return _pack(request)

    def told(self, offset: int) -> list[Verdict]:
        return self._recent.judge(self._request, offset, self._found.message_ids, self._batch)


class _Quick:
    """A small one that comes without ASGI: it is its own waiter, and tells a connection."""

    __slots__ = (
        "_append",
        "_headers",
        "_scope",
        "_sender",
        "_size",
        "_small",
        "_small_of",
        "_tell",
    )

    def __init__(
        self, scope: Scope, headers: Headers, sender: Sender, small: SmallOf, append: Append
    ) -> None:
        self._scope = scope
        self._headers = headers
        self._sender = sender
        self._small_of = small
        self._append = append

    def take(self, body: bytes, tell: Tell) -> bool:
        self._size, self._tell = len(body), tell
        if body[:2] == GZIP:
            return False
        request = _request(self._scope, self._headers, self._sender.source, body)
        try:
            self._small = self._small_of(request, self._sender)
            self._sender.hold(self._size)
        except TouchlineError:
            return False
        self._append(self, self)
        return True

    def payload(self) -> bytes:
        return self._small.payload()

    def told(self, offset: int) -> Answer:
        return stored(self._small.told(offset))

    def cancelled(self) -> bool:
        return False

    def set_result(self, result: Answer, /) -> None:
        self._sender.let_go(self._size)
        about = headers_of(result, self._headers.get(b"origin"))
        self._tell(result.status, about, result.body)

    def set_exception(self, exception: Exception, /) -> None:
        if isinstance(exception, TouchlineError):
            self.set_result(refusal(exception, complaint(exception, self._headers)))
        else:
            self.set_result(BROKEN)


class _Packed:
    """One that was taken apart elsewhere; what its sender is told follows from its place."""

    __slots__ = ("_payload",)

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    def payload(self) -> bytes:
        return self._payload

    def told(self, offset: int) -> int:
        return offset


class Collector:
    """The ASGI app of the collection paths of one workspace."""

    def __init__(
        self,
        log: Log,
        keys: Keys,
        visitors: Visitors | None = None,
        senders: Senders | None = None,
        rules: Rules | None = None,
        guide: Guide | None = None,
    ) -> None:
        self._group = Group(log)
        self._keys = keys
        self._visitors = visitors
        self._rules = rules or Rules(lambda _: None)
        self._recent = Recent(
            lambda offset: _unpacked(log.payload(offset)),
            take_apart=lambda request: read(request, self._rules.site),
        )
        self._senders = senders or Senders()
        self._turns = Turns()
        self._guide = guide
        self._late: set[asyncio.Task[Any]] = set()
        self._lost = Lost(lambda request: self._group.append(_Packed(_pack(request))))

    def begin(self, path: bytes, headers: Headers, client: Address | None) -> Begun | None:
        """A small request of the Segment API, if it can be had without ASGI: see `quick`."""
        if (name := _PATHS.get(path)) is None:
            return None
        is_named = b"authorization" in headers or b"x-write-key" in headers
        source = self._keys.by_header(headers.get(b"authorization")) if is_named else ""
        try:
            sender = self._sender(source)
        except TouchlineError:
            return None
        scope = {"path": name, "query_string": b"", "client": client}
        return _Quick(scope, headers, sender, self._small, self._group.put)

    def _small(self, request: RawRequest, sender: Sender) -> _Small:
        """Raises what it takes the long way to tell."""
        if request.source:
            return _Small(request, sender, _taken_apart, self._recent)
        apart = _taken_apart(request)
        sender = self._sender(self._keys.known(apart[0].write_key or ""))
        request = msgspec.structs.replace(request, source=sender.source)
        return _Small(request, sender, lambda _: apart, self._recent)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        spoken = None if scope["path"] in PATHS else spoken_at(scope["path"])
        methods = POST if spoken is None else spoken[1].methods
        try:
            if scope["method"] in methods:
                answer = await self._collect(scope, headers, receive, spoken)
            elif scope["method"] == "OPTIONS":
                answer = Answer(204, headers=preflight(headers, methods))
            else:
                why = complaint(BadInput("method_not_allowed"), headers)
                answer = Answer(405, why, headers=((b"allow", listed(methods)),))
        except _GoneError:
            return
        except TouchlineError as error:
            if isinstance(error, TooMany):
                await asyncio.sleep(PAUSE_S)
            answer = spoken and spoken[0].refuse(error)
            answer = answer or refusal(error, complaint(error, headers))
        is_page = spoken is not None and spoken[0].leads is not None
        about = headers_of(answer, None if is_page else headers.get(b"origin"))
        await send({"type": "http.response.start", "status": answer.status, "headers": about})
        await send({"type": "http.response.body", "body": answer.body})

    async def _collect(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        spoken: tuple[Protocol, Route] | None,
    ) -> Answer:
        sender = self._sender(await self._source(scope, headers, spoken))
        message = await receive()
        if message["type"] != "http.request":
            raise _GoneError
        body: bytes = message["body"]
        held = len(body)
        sender.hold(held)
        try:
            if message.get("more_body"):
                body = await _rest(body, receive, sender)
                held = len(body)
            if len(body) > MAX_BODY:
                raise BadInput("body_too_large", limit=MAX_BODY)
            request = _request(scope, headers, sender.source, body)
            if spoken is not None and spoken[0].defined is not None:
                return await self._defined(spoken[0].defined, request, sender, scope, headers)
            if spoken is None:
                verdicts = await self._log(request, sender, _taken_apart)
                return stored(verdicts)
            protocol, route = spoken
            if route.tells is not None:
                told = _told(headers, (*KEPT_HEADERS, *TOLD), scope)
                return route.tells(msgspec.structs.replace(request, headers=told))
            request = self._of_visitor(protocol, request, scope, headers)
            if protocol.leads is not None:
                told = {**_told(headers, LED_BY, scope), **request.headers}
                return await self._lead(
                    protocol, msgspec.structs.replace(request, headers=told), scope["method"]
                )
            verdicts = await self._log(request, sender, partial(_spoken, protocol))
            return protocol.answer(request, verdicts)
        finally:
            sender.let_go(held)

    async def _lead(self, protocol: Protocol, request: RawRequest, method: str) -> Answer:
        """The visitor is led on in any case; what cannot be logged of it is counted."""
        if protocol.leads is None or self._guide is None:
            raise Unavailable("busy")
        led = await protocol.leads(request, self._guide)
        if led.request is not None and method != "HEAD":
            task = asyncio.create_task(self._note(protocol, led.request))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
            await asyncio.wait((task,), timeout=LEAD_S)
        return led.answer

    async def _note(self, protocol: Protocol, request: RawRequest) -> None:
        try:
            await self._log(request, self._sender(request.source), partial(_spoken, protocol))
        except TouchlineError as error:
            self._lost.add(request, Counter((error.code,)))

    async def close(self) -> None:
        """What is still to be logged of visitors who were led on, and how many could not be."""
        if self._late:
            await asyncio.wait(self._late, timeout=LATE_S)
        with contextlib.suppress(TimeoutError):  # a disk that stands still holds nobody up
            await asyncio.wait_for(self._lost.close(), LATE_S)
        if self._lost.forgotten:
            note(
                "collector", f"stopped before {self._lost.forgotten} visits could be noted as lost"
            )

    async def _defined(
        self,
        spoken: Defined,
        request: RawRequest,
        sender: Sender,
        scope: Scope,
        headers: dict[bytes, bytes],
    ) -> Answer:
        """What a site defined itself: who may send, how it is read, what it answers."""
        whole = {name.decode("latin-1"): headers[name].decode("latin-1") for name in headers}
        whole.setdefault("x-forwarded-proto", scope.get("scheme", "http"))
        asked = msgspec.structs.replace(request, headers=whole)
        speak = spoken.admit if scope["method"] == "POST" else spoken.show or spoken.admit
        size = len(request.body)
        is_small = size <= SMALL and request.body[:2] != GZIP
        run = self._turns.run if is_small else self._turns.run_aside
        site = await self._rules.now()
        told: RawRequest | Answer = Answer()
        try:
            try:
                told = await run(sender.source, partial(speak, asked, site))
            except (NotFound, Denied):
                if not await self._rules.anew():
                    raise
                site = self._rules.site
                told = await run(sender.source, partial(speak, asked, site))
        finally:
            if not isinstance(told, RawRequest):
                sender.spend(1, size)  # what comes to nothing is work as well
        if isinstance(told, Answer):
            return told

        def take_apart(request: RawRequest) -> tuple[Plain, segment.Batch]:
            return _with_ids(spoken.read(request, site))

        verdicts = await self._log(told, sender, take_apart, is_slow=True)
        return spoken.answer(asked, verdicts, site)

    def _of_visitor(
        self,
        protocol: Protocol,
        request: RawRequest,
        scope: Scope,
        headers: dict[bytes, bytes],
    ) -> RawRequest:
        """The request with what its headers say of the visitor, who has a name if it needs one."""
        kept = _kept(headers, KEPT_HEADERS)
        if protocol.names_visitors is not None and self._visitors is not None:
            client = scope.get("client")
            address = client[0] if client else ""  # through a proxy that is trusted, as it says
            kept[HEADER] = self._visitors.name(
                protocol.names_visitors, address, request.user_agent, request.received_us
            )
        return msgspec.structs.replace(request, headers=kept)

    async def _log(
        self, request: RawRequest, sender: Sender, take_apart: TakeApart, *, is_slow: bool = False
    ) -> list[Verdict]:
        """A verdict on each item, once the request is on disk. `is_slow`: to take even a small one
        apart may be work.
        """
        size = len(request.body)
        is_packed = request.body[:2] == GZIP  # nobody knows how large it will be
        is_small = size <= SMALL and not is_packed
        if is_small and not is_slow and request.source:
            return await self._group.append(_Small(request, sender, take_apart, self._recent))
        if is_small and not is_slow:
            found, batch = take_apart(request)
        else:
            is_large = is_slow or is_packed or size >= LARGE
            run = self._turns.run_aside if is_large else self._turns.run
            found, batch = await run(request.source, partial(take_apart, request))
        if not request.source:
            sender = self._sender(await self._keys.source(found.write_key or ""))
            request = msgspec.structs.replace(request, source=sender.source)
        sender.spend(len(found.message_ids), size)
        offset = await self._group.append(_Packed(_pack(request)))
        judge = partial(self._recent.judge, request, offset, found.message_ids, batch)
        return judge() if is_small else await self._turns.run(request.source, judge)

    def _sender(self, source: str | None) -> Sender:
        """Who sends, if it may: raises Denied for a key unknown, TooMany for an allowance spent.

        One without a name stands for all whose key is in the body.
        """
        if source is None:
            raise Denied("unknown_key")
        sender = self._senders.of(source)
        if source:
            sender.check()
        return sender

    async def _source_defined(self, spoken: Defined, path: str) -> str:
        site = await self._rules.now()
        try:
            return spoken.source(path, site)
        except NotFound:
            if not await self._rules.anew():
                raise
            return spoken.source(path, self._rules.site)

    async def _source(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        spoken: tuple[Protocol, Route] | None,
    ) -> str | None:
        """Who sends: what the path is defined for, else by the key; empty when only the body can
        tell.
        """
        if spoken is not None and not spoken[0].has_our_keys:
            defined = spoken[0].defined
            return "" if defined is None else await self._source_defined(defined, scope["path"])
        found = self._keys.by_header(headers.get(b"authorization"))
        return found if found is not None else await self._by_key(scope, headers)

    async def _by_key(self, scope: Scope, headers: dict[bytes, bytes]) -> str | None:
        """By header, else by query; empty when only the body can tell."""
        authorization = headers.get(b"authorization")
        if authorization is not None and (key := basic_user(authorization)) is not None:
            return await self._keys.source(key, authorization)
        if key := headers.get(b"x-write-key"):
            return await self._keys.source(key.decode("latin-1"))
        if scope["query_string"] and (key := _query_key(scope["query_string"])):
            return await self._keys.source(key)
        return ""


def collects(path: str) -> bool:
    """Whether a path is one of trackers."""
    return path in PATHS or spoken_at(path) is not None


def _taken_apart(request: RawRequest) -> tuple[Plain, segment.Batch | None]:
    """Key and ids, and what is wrong with which item unless nothing is."""
    found = plain(request)
    if found is not None:
        return found, None
    batch = segment.read(request)
    return Plain(batch.write_key, [item.message_id for item in batch.items]), batch


def _spoken(protocol: Protocol, request: RawRequest) -> tuple[Plain, segment.Batch]:
    return _with_ids(protocol.read(request))


def _with_ids(batch: segment.Batch) -> tuple[Plain, segment.Batch]:
    return Plain(batch.write_key, [item.message_id for item in batch.items]), batch


def _kept(headers: dict[bytes, bytes], names: Sequence[bytes]) -> dict[str, str]:
    return {
        name.decode(): headers[name].decode("latin-1")[:MAX_HEADER]
        for name in names
        if name in headers
    }


def _told(headers: dict[bytes, bytes], names: Sequence[bytes], scope: Scope) -> dict[str, str]:
    """Those headers, and by which scheme the client reached us."""
    return {"x-forwarded-proto": scope.get("scheme", "http"), **_kept(headers, names)}


def _unpacked(payload: bytes | None) -> RawRequest | None:
    return None if payload is None else _unpack(payload)


def _query_key(query: bytes) -> str | None:
    try:
        return parse_qs(query.decode("latin-1"), max_num_fields=100).get("writeKey", [None])[0]
    except ValueError:
        return None


async def _rest(start: bytes, receive: Receive, sender: Sender) -> bytes:
    """The whole body; one that is too large is cut behind the limit, but read to its end.

    What is added to the start is held by its sender, and by nobody when this fails.
    """
    parts, kept, drained, is_whole = [start], len(start), 0, False
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise _GoneError
                part: bytes = message["body"]
                if kept <= MAX_BODY:
                    sender.hold(len(part))
                    parts.append(part)
                    kept += len(part)
                else:
                    drained += len(part)
                if not message.get("more_body") or drained > MAX_DRAINED:
                    is_whole = True
                    return b"".join(parts)
    except TimeoutError:
        raise BadInput("too_slow") from None
    finally:
        if not is_whole:
            sender.let_go(kept - len(start))


def _request(scope: Scope, headers: dict[bytes, bytes], source: str, body: bytes) -> RawRequest:
    client = scope.get("client")
    agent = headers.get(b"user-agent", b"")[:MAX_HEADER]
    return RawRequest(
        received_us=clock.now_us(),
        source=source,
        path=scope["path"],
        body=body,
        request_id=_PROCESS + next(_COUNT).to_bytes(6),
        user_agent=agent.decode("utf-8", "replace") if agent else None,
        ip=cut_ip(client[0]) if client else None,
        query=scope["query_string"].decode("latin-1"),
        headers=_kept(headers, SIGNALS),
    )
