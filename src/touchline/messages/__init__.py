"""Code of an error -> (English, Chinese). Each says what happened, then the remedy.

A code stands in one of these files, by who is told.
"""

from touchline.messages import (
    asking,
    collecting,
    consenting,
    defining,
    files,
    links,
    running,
    sources,
)

__all__ = ["MESSAGES"]

MESSAGES: dict[str, tuple[str, str]] = {
    **asking.MESSAGES,
    **collecting.MESSAGES,
    **consenting.MESSAGES,
    **defining.MESSAGES,
    **files.MESSAGES,
    **links.MESSAGES,
    **running.MESSAGES,
    **sources.MESSAGES,
}
