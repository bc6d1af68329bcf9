"""Checks that nothing received is unaccounted for, and that the store fits together.

A finding is something a person must look at; each says what is wrong and what to do.
"""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from touchline import clock
from touchline.collect.geo import Geo
from touchline.identity.live.check import differing
from touchline.identity.live.follow import renew
from touchline.identity.people import Registry
from touchline.identity.sources import TABLES as PEOPLE
from touchline.jobs import job
from touchline.jobs.definitions import outdated
from touchline.jobs.imports import sources
from touchline.jobs.intake.account import Tally
from touchline.jobs.places import geo_path
from touchline.jobs.privacy import register
from touchline.jobs.privacy.erase import erasures
from touchline.journey.rate import Rates
from touchline.measure.cost import spending
from touchline.measure.provisional import Finality, provisional
from touchline.storage import audit, definition, schema
from touchline.storage.engine import View
from touchline.storage.frames import end_offset
from touchline.storage.lake import LOG, SEQ
from touchline.storage.workspace import Workspace, secrets_folder

__all__ = ["examine"]

HOUR_US = 3600 * clock.US
TRIES, PAUSE_S = 5, 2.0  # State follows the lake sooner than that
Place = tuple[str, int]
# (English, Chinese): what is wrong, and what to do.
WHAT = {
    "unbalanced": (
        "received {received} ≠ {stored} stored + {duplicate} duplicate + {rejected}: report it",
        "收到 {received} ≠ 入库 {stored} + 重复 {duplicate} + 异常 {rejected},请反馈给我们",
    ),
    "not_stored": (
        "{said} said to be stored, {found} found: report it, keep the folder as it is",
        "账上入库 {said} 条,实际找到 {found} 条,请反馈给我们,并保留整个文件夹不动",
    ),
    "not_rejected": (
        "{said} said to be rejected, {found} found: report it, keep the folder as it is",
        "账上异常 {said} 条,实际找到 {found} 条,请反馈给我们,并保留整个文件夹不动",
    ),
    "twice": (
        "{count} events are stored twice: please report this",
        "有 {count} 个事件重复入库,请反馈给我们",
    ),
    "gone": (
        "named by its table and gone: restore it from a backup",
        "数据表引用的文件不见了,请用备份恢复",
    ),
    "damaged": (
        "cannot be read; timelines are read from day files meanwhile. touchline rebuild DIR",
        "文件无法读取;在此期间时间线改从按天文件读取。请运行 touchline rebuild DIR",
    ),
    "apart": (
        "lake {lake}, State {state}: start the server or import once to repair it",
        "lake 为 {lake},State 为 {state}:启动一次服务或导入一次即可修复",
    ),
    "short": (
        "the log is shorter than what was read from it: restore it from a backup",
        "日志比已读取的位置还短,请用备份恢复",
    ),
    "geo_missing": (
        "geo_db names a file that is not there: events get no place until it is",
        "geo_db 指定的文件不存在,补上之前事件没有地域信息",
    ),
    "geo_damaged": (
        "geo_db is no readable .mmdb file, events get no place: download it again",
        "geo_db 不是可读取的 .mmdb 文件,事件没有地域信息,请重新下载",
    ),
    "geo_large": (
        "geo_db is larger than 1 GiB, events get no place: take a smaller edition",
        "geo_db 超过 1 GiB,事件没有地域信息,请换用较小的版本",
    ),
    "geo_other": (
        "geo_db tells of no places: take a city or country edition, not one of providers",
        "geo_db 不含地域数据,请使用城市版或国家版,而不是运营商版",
    ),
    "source": (
        "{why} Failed {times} time(s); next attempt: {next}",
        "{why}已失败 {times} 次,下次尝试:{next}",
    ),
    "spend_due": (
        "{cost} of {channels} ({first} to {last}) came in before it was final: import it again",
        "{channels} 在 {first} 至 {last} 的费用 {cost} 是在数据稳定之前导入的,请重新导入",
    ),
    "outdated": (
        "{pattern} is no longer matched and is left out: write it without look-around and apply it",
        "正则表达式 {pattern} 已不受支持,目前不生效:请改写(不用环视和反向引用)后重新 apply",
    ),
    "not_batch": (
        "{count} identifiers are not whose all rows say: the running server makes people anew",
        "有 {count} 个标识的归属与全量计算的结果不一致:运行中的服务会自动重新计算",
    ),
    "erasure": (
        (
            "asked for {asked_at}, not done ({step}): the server tries once a day at least; "
            "at once, with what is in its way: touchline people erase DIR --request {request}"
        ),
        (
            "删除请求于 {asked_at} 提出,尚未完成({step}):运行中的服务每天至少自动重试一次;"
            "立即执行并查看原因:touchline people erase DIR --request {request}"
        ),
    ),
    "changing": (
        "a change of the root key was cut short: touchline keys rotate DIR root goes on with it",
        "根密钥轮换中断:运行 touchline keys rotate DIR root 即可继续",
    ),
    "chain": (
        "row {number} is not as it was written, or is gone: somebody changed the database",
        "第 {number} 条记录被改动或缺失:有人直接修改过数据库",
    ),
    **register.WORDS,
    "open": ("others may read it: chmod 600", "其他用户可以读取该文件,请执行 chmod 600"),
}


class Finding(NamedTuple):
    check: str
    where: str
    what: str
    params: dict[str, Any]

    def in_words(self, language: str) -> dict[str, str]:
        en, zh = WHAT[self.what]
        what = (zh if language == "zh" else en).format(**self.params)
        return {"check": self.check, "where": self.where, "what": what}


def examine(workspace: Workspace, language: str = "en") -> dict[str, Any]:
    """{"findings": [{"check", "where", "what"}], "sources": [...]}: an empty list is good news.

    A server may be writing meanwhile: the lake is asked for the rows that the account speaks of.
    """
    account, refused, upto = _books(workspace)
    findings = [
        *_files(workspace),
        *_copy(workspace),
        *_store(workspace),
        *_secrets(workspace),
        *_geo(workspace),
    ]
    if not any(found.check == "files" for found in findings):
        with workspace.view("fresh", "events") as view:
            gone = _erased(workspace)
            findings += _conservation(account, _stored(view, upto), refused, gone)
            findings += _repeated(view)
        findings += _spend(workspace)
        findings += _people(workspace)
    findings += [
        Finding("definitions", where, "outdated", {"pattern": repr(pattern)})
        for where, pattern in outdated(workspace)
    ]
    told = register.findings(workspace)
    findings += [Finding("register", found.where, found.what, found.params) for found in told]
    findings += _sources(workspace, language)
    findings += [*_audit(workspace), *_erasures(workspace)]
    listed = [finding.in_words(language) for finding in findings]
    return {"findings": listed, "sources": _by_source(account)}


def _spend(workspace: Workspace) -> list[Finding]:
    """Spend that was provisional when it was imported, and is final by now."""
    finality = Finality.of(definition.current(workspace.state), workspace.time_zone)
    if not finality.days:
        return []
    with workspace.view("costs", "aggregates", "rates") as view:
        rates = Rates.of(view, workspace.currency)
        found = provisional(view, spending(view), rates, finality, due_us=clock.now_us())
    words = found.in_words(workspace.currency) if found else {}
    return [Finding("spend", "costs", "spend_due", words)] if found else []


def _people(workspace: Workspace) -> list[Finding]:
    """Whether the live store says what all rows say, where it is of the rows there are now."""
    with workspace.view(*PEOPLE) as view:
        count = differing(workspace.state, view, *Registry(workspace).ruled(view))
    if not count:
        return []
    renew(workspace.state)
    return [Finding("identity", "live", "not_batch", {"count": count})]


def _books(workspace: Workspace) -> tuple[dict[Place, sa.Row[Any]], Counter[Place], int]:
    """The account, the rejects kept, and the last arrival number they know: all of one moment."""
    while True:
        before = _marks(workspace)
        account, refused = _account(workspace), _refused(workspace)
        if _marks(workspace) == before:
            return account, refused, before[SEQ]


def _marks(workspace: Workspace) -> dict[str, int]:
    return {name: workspace.state.mark(name) for name in (LOG, SEQ)}


def _conservation(
    account: dict[Place, sa.Row[Any]],
    stored: Counter[Place],
    refused: Counter[Place],
    erased: Mapping[Place, tuple[int, int]],
) -> list[Finding]:
    """Whether received = stored + duplicate + rejected, and the rows are really there."""
    findings: list[Finding] = []
    for place in sorted({*account, *stored, *refused}):
        where = f"{place[0]} {clock.iso(place[1])}"
        row = account.get(place)
        told = Tally() if row is None else _tally(row)
        received, kept, duplicate, rejected = msgspec.structs.astuple(told)
        if received != kept + duplicate + rejected:
            counts = msgspec.structs.asdict(told)
            findings.append(Finding("conservation", where, "unbalanced", counts))
        gone = erased.get(place, (0, 0))
        kept, rejected = kept - gone[0], rejected - gone[1]
        if kept != stored[place]:
            numbers = {"said": kept, "found": stored[place]}
            findings.append(Finding("conservation", where, "not_stored", numbers))
        if rejected != refused[place]:
            numbers = {"said": rejected, "found": refused[place]}
            findings.append(Finding("conservation", where, "not_rejected", numbers))
    return findings


def _tally(row: sa.Row[Any]) -> Tally:
    return Tally(row.received, row.stored, row.duplicate, row.rejected)


def _stored(view: View, upto: int) -> Counter[Place]:
    rows = view.events("source", "received_us", "seq")
    rows = rows.filter(rows.seq <= upto).mutate(
        hour_us=rows.received_us - rows.received_us % HOUR_US
    )
    counts = rows.group_by("source", "hour_us").agg(n=rows.count())
    return Counter({(r["source"], r["hour_us"]): r["n"] for r in view.fetch(counts).to_pylist()})


def _repeated(view: View) -> list[Finding]:
    rows = view.events("event_id")
    count = view.count(rows.group_by("event_id").having(lambda t: t.count() > 1).agg())
    return [Finding("duplicates", "events", "twice", {"count": count})] if count else []


def _account(workspace: Workspace) -> dict[Place, sa.Row[Any]]:
    return {
        (row.source, row.hour_us): row for row in workspace.state.read(sa.select(schema.intake))
    }


def _erased(workspace: Workspace) -> dict[Place, tuple[int, int]]:
    """What of the account, events and rejects, was erased since."""
    rows = workspace.state.read(sa.select(schema.erased_count))
    return {(row.source, row.hour_us): (row.stored, row.rejected) for row in rows}


def _refused(workspace: Workspace) -> Counter[Place]:
    table = schema.reject.c
    hour = (table.received_us - table.received_us % HOUR_US).label("hour_us")
    count = sa.func.count().label("n")
    is_open = sa.and_(table.kind == "events", table.replayed_us.is_(None))
    query = sa.select(table.source, hour, count).where(is_open)
    rows = workspace.state.read(query.group_by(table.source, hour))
    return Counter({(row.source, row.hour_us): row.n for row in rows})


def _files(workspace: Workspace) -> list[Finding]:
    """Files that a table names and that are not there."""
    named = [path for table in workspace.lake.tables.values() for path in table.snapshot().files]
    gone = [Path(path) for path in named if not Path(path).exists()]
    return [Finding("files", str(path.relative_to(workspace.dir)), "gone", {}) for path in gone]


def _copy(workspace: Workspace) -> list[Finding]:
    """Files of the copy by identifier that are gone or damaged: nothing is lost with them."""
    table = workspace.lake.by_node
    paths = table.snapshot().files if table.exists() else []
    bad = [Path(path) for path in paths if not _is_readable(path)]
    return [Finding("copy", str(path.relative_to(workspace.dir)), "damaged", {}) for path in bad]


def _is_readable(path: str) -> bool:
    try:
        return pq.read_metadata(path).num_rows >= 0
    except (OSError, pa.ArrowException):
        return False


def _store(workspace: Workspace) -> list[Finding]:
    findings: list[Finding] = []
    for name in (LOG, SEQ):
        lake, state = _settled_marks(workspace, name)
        if lake != state:
            findings.append(Finding("recovery", name, "apart", {"lake": lake, "state": state}))
    if workspace.lake.log_offset() > end_offset(workspace.dir) > 0:
        findings.append(Finding("log", "log", "short", {}))
    return findings


def _settled_marks(workspace: Workspace, name: str) -> tuple[int, int]:
    """A number as lake and State have it. State follows in a moment if somebody is at work."""
    pair = (-1, -1)
    for _ in range(TRIES):
        found = workspace.lake.fresh.snapshot().offset(name), workspace.state.mark(name)
        if found[0] == found[1] or found == pair:
            return found
        pair = found
        time.sleep(PAUSE_S)
    return pair


def _erasures(workspace: Workspace) -> list[Finding]:
    """Customers who wait to be erased, without a job that is at it."""
    waiting = [one for one in erasures(workspace) if one["done_at"] is None]
    return [
        Finding("erasure", one["request"], "erasure", one)
        for one in waiting
        if job.open_one(workspace.state, "erase", {"request": one["request"]}) is None
    ]


def _audit(workspace: Workspace) -> list[Finding]:
    number = audit.broken(workspace.state)
    return [] if number is None else [Finding("audit", "audit", "chain", {"number": number})]


def _secrets(workspace: Workspace) -> list[Finding]:
    folder = secrets_folder(workspace.dir, workspace.settings)
    open_files = [p.name for p in sorted(folder.iterdir()) if p.stat().st_mode & 0o077]
    found = [Finding("secrets", name, "open", {}) for name in open_files]
    if workspace.vault.root.is_changing and not job.open_args(workspace.state, "rotate"):
        found.append(Finding("secrets", "root.old", "changing", {}))
    return found


def _geo(workspace: Workspace) -> list[Finding]:
    path = geo_path(workspace)
    problem = Geo(path).examined() if path else None
    return [Finding("geo", str(path), f"geo_{problem}", {})] if problem else []


def _sources(workspace: Workspace, language: str) -> list[Finding]:
    """Sources whose last run went wrong."""
    findings: list[Finding] = []
    for source in sources.listed(workspace, {"language": language}):
        if source["status"] == "failed":
            told = {"why": source["last_run"]["error"]["text"], "times": max(source["failures"], 1)}
            told["next"] = source["next_at"] or "–"
            findings.append(Finding("source", source["name"], "source", told))
    return findings


def _by_source(account: dict[Place, sa.Row[Any]]) -> list[dict[str, Any]]:
    sums: dict[str, Counter[str]] = {}
    for (source, _), row in account.items():
        sums.setdefault(source, Counter()).update(msgspec.structs.asdict(_tally(row)))
    return [{"source": source, **counts} for source, counts in sorted(sums.items())]
