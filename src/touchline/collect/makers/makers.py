"""The makers of one site, ready for use."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from touchline.collect.makers import form, webhook
from touchline.collect.makers.claim import Answer, answers_of, claims
from touchline.collect.makers.form import Form
from touchline.collect.makers.webhook import Unsealing, Webhook
from touchline.errors import BadInput

__all__ = ["KINDS", "Makers", "makers", "sealed"]

KINDS = ("webhook", "form", "promo_code", "reported_source")


class Makers(Struct, frozen=True, eq=False):
    """By their names. `answers`: what somebody may say to the question where they heard of us."""

    webhooks: dict[str, Webhook] = {}
    forms: dict[str, Form] = {}
    answers: tuple[Answer, ...] = ()


def makers(documents: Mapping[str, Any], opened: Unsealing) -> Makers:
    """From a site's documents. BadInput names the one that cannot be read, and why."""
    claims(documents)
    own_hosts = documents.get("site", {}).get("own_hosts", ())
    made = Makers(
        webhooks=webhook.webhooks(documents.get("webhook", []), opened),
        forms=form.forms(documents.get("form", []), own_hosts),
        answers=tuple(answers_of(documents)),
    )
    if not made.answers:
        for name, one in made.forms.items():
            if any(field.type == "source" for field in one.fields):
                raise BadInput(
                    "bad_form", name=name, why="there is no [[reported_source]] to choose"
                )
    return made


def sealed(
    documents: dict[str, Any], held: Mapping[str, Any], seal: Unsealing, opened: Unsealing
) -> dict[str, Any]:
    """Checked documents as they are stored: without a secret in clear."""
    if "webhook" not in documents:
        return documents
    hooks = webhook.sealed(documents["webhook"], held.get("webhook", []), seal, opened)
    return {**documents, "webhook": hooks}
