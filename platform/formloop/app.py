"""Wires the rooms into one Flask application; the only place that sees them all."""

from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from jinja2 import FileSystemLoader, PrefixLoader
from werkzeug.routing import IntegerConverter, Map

from formloop import db
from formloop.access import role_kind, signing
from formloop.access import views as access_views
from formloop.api import views as api_views
from formloop.bridges import kind as bridge_kind
from formloop.bridges import views as bridges_views
from formloop.bridges.notices import views as notices_views
from formloop.core.text import load_catalogues
from formloop.datasets import kind as dataset_kind
from formloop.datasets import views as datasets_views
from formloop.definitions import app_kind, library
from formloop.definitions import views as definitions_views
from formloop.events import outbox, queue
from formloop.forms import kind as form_kind
from formloop.forms import views as forms_views
from formloop.ledgers import kind as ledger_kind
from formloop.ledgers import posting_kind
from formloop.ledgers import views as ledgers_views
from formloop.packs import views as packs_views
from formloop.planning import kind as plan_kind
from formloop.planning import views as planning_views
from formloop.settings import Settings, read_settings
from formloop.studio import views as studio_views
from formloop.web import wiring
from formloop.workflows import kind as workflow_kind
from formloop.workflows import views as workflows_views

PACKAGE = Path(__file__).resolve().parent
KINDS = (
    role_kind.ROLE,
    app_kind.APP,
    form_kind.FORM,
    ledger_kind.LEDGER,
    posting_kind.POSTING,
    dataset_kind.DATASET,
    bridge_kind.BRIDGE,
    plan_kind.PLAN,
    workflow_kind.WORKFLOW,
)  # rooms add their kinds when they are imported
ROOMS = (
    "web",
    "access",
    "definitions",
    "forms",
    "ledgers",
    "datasets",
    "bridges",
    "planning",
    "workflows",
    "studio",
    "packs",
    "api",
)


class _BoundedInteger(IntegerConverter):
    """Numbers in addresses that a database can hold; a larger one is no address of ours."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, max=2**63 - 1)


def trusted_hosts(settings: Settings) -> list[str]:
    """The names this site answers to: the address people use, else only this machine's own names."""
    if settings.public_url:
        return [urlsplit(settings.public_url).hostname or "localhost"]
    return ["localhost", "127.0.0.1", "[::1]"]


def create_app(settings: Settings | None = None) -> Flask:
    """The application of one site, its database brought up. Raises when a route declares no permission."""
    settings = settings or read_settings()
    load_catalogues(PACKAGE)
    app = Flask("formloop", static_folder=None, template_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        ZONE=settings.zone,
        TRUSTED_HOSTS=trusted_hosts(settings),
        SETTINGS=settings,
        MAX_CONTENT_LENGTH=64 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=16 * 1024 * 1024,
        MAX_FORM_PARTS=50_000,
    )
    app.url_map.converters["int"] = _BoundedInteger
    folders = {room: FileSystemLoader(PACKAGE / room / "templates") for room in ROOMS}
    app.jinja_loader = PrefixLoader(folders)
    db.start(app, settings)
    wiring.init_app(app, settings)
    db.read_once(app)
    signing.init_app(app)
    signing.on_definitions_epoch(library.refresh)
    for views in (
        access_views,
        definitions_views,
        forms_views,
        ledgers_views,
        datasets_views,
        bridges_views,
        notices_views,
        planning_views,
        workflows_views,
        studio_views,
        packs_views,
        api_views,
    ):
        views.init_app(app)
    outbox.on_put(queue.Waker(settings))
    wiring.require_declared(app)
    return app
