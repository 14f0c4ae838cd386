"""Our own CSS and JavaScript and the browser libraries: kept by browsers for a year, named by content."""

import time
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, request, send_from_directory
from markupsafe import Markup

from formloop.core.text import Message
from formloop.web import viewer
from formloop.web.routes import route

blueprint = Blueprint("statics", __name__)
A_YEAR = 365 * 24 * 3600


def init_app(app: Flask, folder: Path) -> None:
    """Serve `folder` below /static."""
    app.config["STATICS"] = str(folder.resolve())
    app.jinja_env.globals.update(static_url=static_url, draw_icon=draw_icon)
    app.register_blueprint(blueprint)


def static_url(name: str) -> str:
    """The address of a static file, which changes when its content does (noticed within a second)."""
    return _address(current_app.config["STATICS"], name, int(time.monotonic()))


@lru_cache(maxsize=1024)  # a list page asks hundreds of times for its icons
def _address(folder: str, name: str, second: int) -> str:
    path = Path(folder) / name
    if not path.is_file():
        return f"/static/{quote(name)}"
    return f"/static/{quote(name)}?v={_digest(str(path), path.stat().st_mtime_ns)}"


@lru_cache(maxsize=512)
def _digest(path: str, changed: int) -> str:
    return sha256(Path(path).read_bytes()).hexdigest()[:12]


def draw_icon(name: str, size: str = "", label: Message | str | None = None) -> Markup:
    """An icon of the sprite; without a label it is decoration and readers pass over it."""
    said = label.render(viewer.locale()) if isinstance(label, Message) else label
    return _drawn(_sprite(int(time.monotonic())), name, size, said)


@lru_cache(maxsize=1)
def _sprite(_second: int) -> str:
    return static_url("vendor/icons.svg")


@lru_cache(maxsize=2048)  # a page shows dozens of them
def _drawn(sprite: str, name: str, size: str, label: str | None) -> Markup:
    shape = Markup("fl-icon fl-icon-{}").format(size) if size else "fl-icon"
    meaning = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="{}" {}><use href="{}#{}"/></svg>').format(shape, meaning, sprite, name)


@route(blueprint, "/static/<path:name>", permission="public")
def serve(name: str) -> Response:
    """One file; its gzip copy where there is one and the browser takes it."""
    folder = Path(current_app.config["STATICS"])
    zipped = request.accept_encodings.quality("gzip") > 0 and (folder / f"{name}.gz").is_file()
    age = A_YEAR if request.args.get("v") else 0
    if not zipped:
        return _kept(send_from_directory(folder, name, max_age=age), age)
    response = send_from_directory(folder, f"{name}.gz", max_age=age, mimetype=_mimetype(name))
    response.headers["Content-Encoding"] = "gzip"
    return _kept(response, age)


def _kept(response: Response, age: int) -> Response:
    response.vary.add("Accept-Encoding")
    response.cache_control.immutable = age > 0
    return response


def _mimetype(name: str) -> str:
    kinds = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    return kinds.get(Path(name).suffix, "application/octet-stream")
