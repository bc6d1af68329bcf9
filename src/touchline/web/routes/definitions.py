"""What the site decided: goals, channel rules, webhooks, forms, codes … in and out."""

from typing import Any

from fastapi import APIRouter, Response

from touchline.web.served import Admin, told

router = APIRouter(prefix="/api/v1/definitions")


@router.get("", summary="The definitions in force, by kind")
async def held(here: Admin) -> Response:
    return await told(here, "definitions")


@router.put("", summary="Put definitions in force, as `touchline apply` does")
async def apply(here: Admin, documents: dict[str, Any]) -> Response:
    """A kind that is named is replaced as a whole, the others stay. The result of the job are the
    kinds that changed.
    """
    return await told(here, "apply", documents)
