"""What every response forbids the browser, and what every changing request must prove."""

from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, request
from flask_wtf.csrf import CSRFProtect, generate_csrf
from markupsafe import Markup

from formloop.core.errors import Forbidden, Invalid, Problem
from formloop.core.text import M
from formloop.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
A_DAY = 24 * 3600

_csrf = CSRFProtect()


def init_app(app: Flask, settings: Settings) -> None:
    """Guard `app`: cookies, the token of forms, the origin of changes, headers."""
    app.config.setdefault("SECRET_KEY", None)
    app.config.update(
        SECRET_KEY=app.config["SECRET_KEY"] or settings.secret_key,
        SESSION_COOKIE_NAME="formloop_page",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=(settings.public_url or "").startswith("https://"),
        WTF_CSRF_TIME_LIMIT=A_DAY,
        WTF_CSRF_SSL_STRICT=False,  # the Origin check below says the same for every scheme
    )
    our_hosts = {urlsplit(settings.public_url).netloc} if settings.public_url else set()
    app.before_request(lambda: require_own_origin(our_hosts))
    app.before_request(require_plain_text)
    _csrf.init_app(app)
    app.jinja_env.globals["csrf_field"] = csrf_field
    app.after_request(add_headers)


def accept_without_page(blueprint: Blueprint) -> Blueprint:
    """Let other programs call `blueprint`; only for routes that take a token and never the session."""
    _csrf.exempt(blueprint)
    return blueprint


def csrf_field() -> Markup:
    """The hidden field that proves a form came from one of our pages."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def require_own_origin(our_hosts: set[str]) -> None:
    """Refuse a change that another site's page sent; programs with a token send no cookie and may pass.

    Only a token says so: a browser adds a name and password (`Basic`) to what another site's page sends, too.
    """
    if request.method in SAFE_METHODS or (request.authorization and request.authorization.type == "bearer"):
        return
    origin = request.headers.get("Origin")
    from_elsewhere = request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none")
    if from_elsewhere or (origin is not None and urlsplit(origin).netloc not in our_hosts | {request.host}):
        raise Forbidden(M("This request came from another site and was not carried out."))


def require_plain_text() -> None:
    """Refuse the one character that no database agrees on, wherever it stands in a form or an address."""
    if "%00" in request.full_path or any("\x00" in v for values in request.form.listvalues() for v in values):
        raise Invalid(
            [Problem("control_character", "", M("The text has a character that cannot be stored."))]
        )


def add_headers(response: Response) -> Response:
    """Add what every response carries; pages are never kept by caches between us and the browser."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if response.mimetype == "text/html" and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "private, no-cache"
    return response
