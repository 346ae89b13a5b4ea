"""The internet side: webhooks, health, and the page that an alarm's link leads to."""

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bot.store import migrations
from bot.web import alarm_page, languages, webhooks
from bot.web.context import CONTEXT, Context
from bot.web.middleware import middlewares


def application(context: Context) -> web.Application:
    """The application of the public listener; where there is no staff listener, console and metrics are added to it."""
    app = web.Application(middlewares=middlewares(), client_max_size=webhooks.LARGEST_BODY * 16)
    app[CONTEXT] = context
    languages.add(app)
    webhooks.add_routes(app, list(context.channels.values()))
    alarm_page.add_routes(app)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app


async def healthz(request: web.Request) -> web.Response:
    """The process lives."""
    del request
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """The database answers and its schema is ours. A provider being away does not count."""
    context = request.app[CONTEXT]
    try:
        current = await context.database.read(migrations.is_current)
    except Exception:
        return web.json_response({"status": "the database does not answer"}, status=503)
    if not current:
        return web.json_response({"status": "migrations are missing: run frontdesk migrate"}, status=503)
    return web.json_response({"status": "ready"})


async def metrics(request: web.Request) -> web.Response:
    del request
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
