"""Another root key, or another key for receipts, while everything goes on.

    begun      the new root key wraps what is new; the old one still unwraps
    portions   each wrapped data key is wrapped anew; what it seals is not touched
    ended      nothing is wrapped by the old one: it is overwritten and gone

Each step may be done twice: after a crash, what is wrapped anew already is left alone. What
surprises: the end waits a moment, since another process may be about to write down a key that it
wrapped before the change.
"""

import time
from typing import Any

import sqlalchemy as sa

from touchline import clock
from touchline.errors import BadInput
from touchline.identity.receipt import fingerprint
from touchline.jobs import job
from touchline.jobs.audited import done
from touchline.jobs.intake.writer import Writer
from touchline.jobs.job import Progress
from touchline.jobs.privacy import erase_state
from touchline.storage import schema
from touchline.storage.disk import is_writable
from touchline.storage.workspace import Workspace, secrets_folder

__all__ = ["WHAT", "ask", "receipt_keys", "resume", "rotate"]

KIND = "rotate"
WHAT = ("root", "signing")
AT_ONCE = 2_000
GRACE_US = 15 * clock.US  # longer than anybody waits to write what they hold in hand
POLL_S = 0.5

_node = schema.node.c
_rewrap = (
    sa.update(schema.node)
    .where(_node.node_id == sa.bindparam("of"), _node.wrapped_key == sa.bindparam("was"))
    .values(wrapped_key=sa.bindparam("now"))
)


def ask(workspace: Workspace, what: str, reason: str | None = None) -> dict[str, Any]:
    """Writes down that a key is to be changed; what the job is to be asked."""
    if what not in WHAT:
        raise BadInput("bad_argument", name="what", value=what[:80], why="is root or signing.")
    folder = secrets_folder(workspace.dir, workspace.settings)
    if not is_writable(folder):
        raise BadInput("folder_unusable", path=folder, why="it is not writable")
    done(workspace, "key.rotate", reason=reason, what=what)
    return {"what": what}


def rotate(writer: Writer, args: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """{"what", "rewrapped", "public_key", "fingerprint"}: of a signing key its public part."""
    workspace, what = writer.workspace, args["what"]
    if what == "signing":
        workspace.vault.change_signer()
        own = receipt_keys(workspace)[0]
        done(workspace, "key.rotated", what=what, fingerprint=own["fingerprint"])
        return {"what": what, **own}
    root = workspace.vault.root
    root.begin()
    count = 0
    while True:
        is_last = clock.now_us() - root.begun_us() >= GRACE_US
        found = _rewrapped(workspace, progress)
        count += found
        if is_last and not found:
            break
        if not found:
            progress(1.0)
            time.sleep(POLL_S)
    root.end()
    erase_state.tidy(workspace.state)
    done(workspace, "key.rotated", what=what, keys=count)
    return {"what": what, "rewrapped": count}


def resume(workspace: Workspace) -> None:
    """Leaves a job for a change that was cut short."""
    if workspace.vault.root.is_changing:
        job.submit(workspace.state, KIND, {"what": "root"}, is_once=True)


def receipt_keys(workspace: Workspace) -> list[dict[str, Any]]:
    """What receipts are to be compared with: the key in force first, then those of before."""
    return [
        {
            "public_key": key.public_key,
            "fingerprint": fingerprint(bytes.fromhex(key.public_key)),
            "until": key.until,
        }
        for key in workspace.vault.signing_keys()
    ]


def _rewrapped(workspace: Workspace, progress: Progress) -> int:
    """Goes through all wrapped keys once; how many were still the old root key's."""
    state, vault = workspace.state, workspace.vault
    whole = max(1, state.read(sa.select(sa.func.count()).select_from(schema.node))[0][0])
    query = sa.select(_node.node_id, _node.wrapped_key).order_by(_node.node_id).limit(AT_ONCE)
    count, seen, rows = 0, 0, state.read(query)
    while rows:
        changed = [
            {"of": row.node_id, "was": row.wrapped_key, "now": now}
            for row in rows
            if (now := vault.wrapped_anew(row.node_id, row.wrapped_key)) is not None
        ]
        state.write((_rewrap, changed))
        count, seen = count + len(changed), seen + len(rows)
        progress(min(1.0, seen / whole))
        rows = state.read(query.where(_node.node_id > rows[-1].node_id))
    return count
