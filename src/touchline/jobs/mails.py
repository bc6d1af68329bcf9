"""What is to be put into mails: for each mail and reader an image that tells of its opening, and
links that lead on, all signed (see `collect.mail`).

Nothing is kept of a mail: its token says all. Of the reader State keeps the sealed value, as of
anybody, so that who opens a mail is known by it.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from touchline.collect.link import labels_from
from touchline.collect.mail import Mailed, Signer
from touchline.collect.naming import Naming, checked
from touchline.collect.nodes import NodeBook
from touchline.errors import BadInput
from touchline.jobs.definitions import naming_of
from touchline.jobs.links import line_of, person_of, public
from touchline.storage.workspace import Workspace

__all__ = ["Wanted", "sign"]


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail. `message`: the sender's own id of it; `person`: its reader, as `type:value`;
    `targets`: where its links lead.
    """

    message: str
    person: str
    source: str | None = None
    medium: str | None = "email"
    campaign: str | None = None
    content: str | None = None
    targets: tuple[str, ...] = ()


def sign(
    workspace: Workspace, wanted: Sequence[Wanted], *, host: str | None = None
) -> list[dict[str, Any]]:
    """Addresses for each mail, in the order asked; from the root on where nobody says where we are.

    Raises BadInput for what is no mail, or is named against [naming].
    """
    at = public(workspace, host) or ""
    signer = Signer(workspace.vault.derived("mail"))
    book, rules = NodeBook(workspace), naming_of(workspace)
    made: list[dict[str, Any]] = []
    for one in wanted:
        opened = _mailed(one, "", workspace, book, rules)
        links = [
            {"target": target, "url": at + signer.click_path(mailed)}
            for target in one.targets
            for mailed in (_mailed(one, target, workspace, book, rules),)
        ]
        made.append({"message": one.message, "open": at + signer.open_path(opened), "links": links})
    book.save()
    return made


def _mailed(
    one: Wanted, target: str, workspace: Workspace, book: NodeBook, rules: Naming
) -> Mailed:
    message = line_of("message", one.message)
    if message is None:
        raise BadInput("bad_argument", name="message", value="", why="must name the mail.")
    names = {name: getattr(one, name) for name in ("source", "medium", "campaign", "content")}
    labels = labels_from(names, target)
    checked(rules, labels)
    return Mailed(
        message,
        book.named(person_of(one.person, workspace.region)),
        campaign=labels.campaign,
        source=labels.source,
        content=labels.content,
        target=target,
        medium=labels.medium or "email",
    )
