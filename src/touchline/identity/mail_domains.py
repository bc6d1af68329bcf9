"""State → which addresses are of which company domain; a domain's name, for who may see it."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from touchline.collect.mail_domain import company_domain, domain_rows
from touchline.collect.nodes import clear_values, opened
from touchline.storage import schema
from touchline.storage.workspace import Workspace

__all__ = ["domain_names", "domains_of", "mail_domains", "renew"]

# Mark in State: whether addresses of before there was this table are to be read for it.
MARK = "mail_domains"
DUE, DONE = 1, 2
AT_ONCE = 20_000
_table = schema.mail_domain.c


def renew(workspace: Workspace) -> None:
    """Takes in the addresses that an older version stored. Needs the write lock; safe to repeat."""
    state = workspace.state
    if state.mark(MARK) != DUE:
        return
    rows = _read_again(workspace)
    for start in range(0, len(rows), AT_ONCE):
        chunk = rows[start : start + AT_ONCE]
        state.write((state.upsert(schema.mail_domain), chunk))
    state.write(state.set_mark(MARK, DONE))


def mail_domains(
    workspace: Workspace, without: Iterable[bytes], of: Iterable[bytes] | None = None
) -> list[tuple[bytes, bytes]]:
    """(node, domain) of all addresses, less those of some domains; `of`: of these domains alone."""
    left, wanted = set(without), None if of is None else set(of)
    if workspace.state.mark(MARK) == DUE:
        read = _read_again(workspace)
        found = [(row["node_id"], row["domain_id"]) for row in read]
    elif wanted is None:
        rows = workspace.state.stream(sa.select(schema.mail_domain))
        found = [(row.node_id, row.domain_id) for row in rows]
    else:
        rows = workspace.state.lookup(_table.domain_id, wanted, _table.node_id, _table.domain_id)
        found = [(row.node_id, row.domain_id) for row in rows]
    return sorted(
        (bytes(node), bytes(domain))
        for node, domain in found
        if domain not in left and (wanted is None or domain in wanted)
    )


def domains_of(workspace: Workspace, nodes: Iterable[bytes]) -> dict[bytes, bytes]:
    """The domain of each of these identifiers that is an address."""
    if workspace.state.mark(MARK) == DUE:
        wanted = set(nodes)
        read = _read_again(workspace)
        return {row["node_id"]: row["domain_id"] for row in read if row["node_id"] in wanted}
    rows = workspace.state.lookup(_table.node_id, set(nodes), *schema.mail_domain.columns)
    return {bytes(row.node_id): bytes(row.domain_id) for row in rows}


def domain_names(workspace: Workspace, example: Mapping[bytes, bytes]) -> dict[bytes, str]:
    """Names of domains, each by an address of it, as far as whoever asks may see one; else a sign
    that is the same for the same domain.
    """
    clear = clear_values(workspace, example.values())
    found: dict[bytes, str] = {}
    for domain, node in example.items():
        seen = clear.get(node)
        is_seen = seen is not None and "@" in seen.value
        found[domain] = company_domain(seen.value) if seen and is_seen else f"#{domain.hex()[:16]}"
    return found


def _read_again(workspace: Workspace) -> list[dict[str, Any]]:
    """Rows by opening every address: slow, and needed once."""
    found: list[dict[str, Any]] = []
    for row in workspace.state.stream(sa.select(schema.node).where(schema.node.c.type == "email")):
        known = {row.node_id: opened(workspace.vault, row)}
        found += domain_rows(workspace.vault, known)
    return found
