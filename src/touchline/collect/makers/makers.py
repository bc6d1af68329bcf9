"""The makers of one site, ready for use."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from touchline.collect.makers import webhook
from touchline.collect.makers.webhook import Unsealing, Webhook

__all__ = ["KINDS", "Makers", "makers", "sealed"]

KINDS = ("webhook",)


class Makers(Struct, frozen=True, eq=False):
    """By their names."""

    webhooks: dict[str, Webhook] = {}


def makers(documents: Mapping[str, Any], opened: Unsealing) -> Makers:
    """From a site's documents. BadInput names the one that cannot be read, and why."""
    return Makers(webhooks=webhook.webhooks(documents.get("webhook", []), opened))


def sealed(
    documents: dict[str, Any], held: Mapping[str, Any], seal: Unsealing, opened: Unsealing
) -> dict[str, Any]:
    """Checked documents as they are stored: without a secret in clear."""
    if "webhook" not in documents:
        return documents
    hooks = webhook.sealed(documents["webhook"], held.get("webhook", []), seal, opened)
    return {**documents, "webhook": hooks}
