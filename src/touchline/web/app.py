"""The admin API as a FastAPI app: asks the worker for everything, so it never blocks receiving."""

from fastapi import FastAPI

from touchline import __version__
from touchline.web import problem
from touchline.web.door import Door
from touchline.web.routes import (
    accounts,
    channel,
    definitions,
    health,
    identity,
    keys,
    lift,
    links,
    maps,
    page,
    people,
    plan,
    preferences,
    privacy,
    records,
    report,
    review,
    sources,
)
from touchline.web.served import Served

__all__ = ["api"]


def api(served: Served, *, has_routes: bool = True) -> FastAPI:
    """The app of one workspace; OpenAPI 3.1 at /openapi.json, readable at /docs. A process that
    only receives keeps `/health` alone.
    """
    app = FastAPI(title="Touchline", version=__version__, summary="Scattered touches, one line.")
    app.state.served = served
    problem.install(app)
    app.add_middleware(Door)
    all_routes = (
        health,
        page,
        preferences,
        records,
        report,
        review,
        identity,
        accounts,
        keys,
        lift,
        links,
        maps,
        channel,
        privacy,
        plan,
        definitions,
        sources,
        people,  # last: its address holds all that others have beneath it
    )
    for routes in all_routes if has_routes else (health,):
        app.include_router(routes.router)
    return app
