"""GET /: the report page, a static file that asks the API with the visitor's own key."""

from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent.parent / "static"
# Only what lies in our own folder runs or loads; nobody frames the page.
POLICY = "default-src 'self'; img-src data:; style-src-attr 'unsafe-inline'; frame-ancestors 'none'"
FILES = {path.name: path for path in STATIC.iterdir() if path.is_file()}


@router.get("/")
async def page() -> FileResponse:
    return FileResponse(FILES["index.html"], headers={"content-security-policy": POLICY})


@router.get("/static/{name}")
async def static(name: str) -> FileResponse:
    if name not in FILES:
        raise HTTPException(404)
    return FileResponse(FILES[name], headers={"content-security-policy": POLICY})
