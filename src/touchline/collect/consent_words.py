"""A site's documents → all the words its people may agree to, so that each is kept by its hash."""

from collections.abc import Mapping
from typing import Any

from touchline.collect.consent_rules import ConsentRules
from touchline.collect.makers.form import Form, forms, in_language
from touchline.errors import BadInput

__all__ = ["LANGUAGES", "check_purposes", "words_of"]

LANGUAGES = ("en", "zh")


def words_of(documents: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(text, language) of every purpose and every consent of a form."""
    asked = ConsentRules.of(documents).asked.values()
    found = [(one.words(of), of) for one in asked for of in LANGUAGES]
    labels = [field.label for form in _forms(documents) for field in form.consents]
    return [*found, *((in_language(label, of), of) for label in labels for of in LANGUAGES)]


def check_purposes(documents: Mapping[str, Any]) -> None:
    """BadInput("bad_form") for a form that asks for a purpose or channel there is not."""
    asked = ConsentRules.of(documents).asked
    for form in _forms(documents):
        for field in form.consents:
            known = asked.get(field.purpose)
            if field.purpose and (known is None or not {*field.channels} <= {*known.channels}):
                named = ".".join([field.purpose, *field.channels])
                raise BadInput("bad_form", name=form.name, why=f"[consent] has no purpose {named}")


def _forms(documents: Mapping[str, Any]) -> list[Form]:
    own_hosts = documents.get("site", {}).get("own_hosts", ())
    return list(forms(documents.get("form", []), own_hosts).values())
