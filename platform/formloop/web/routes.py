"""Routes that say who may use them. An application with a route that does not say so will not start.

A permission is "public", "signed-in", a pair (action, resource), or a function of the view's arguments that
raises when the answer is no. Everything but "public" is judged by `access`, which gives its judge to
`use_check`; until then everything else is denied.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar, cast

from flask import Blueprint, Flask
from flask.typing import ResponseReturnValue

from formloop.core.errors import Forbidden, NotFound, SignInNeeded

Permission = Literal["public", "signed-in"] | tuple[str, str] | Callable[..., None]
Check = Callable[[Permission, Mapping[str, Any]], None]
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def _deny(permission: Permission, arguments: Mapping[str, Any]) -> None:
    raise SignInNeeded


_check: Check = _deny


def use_check(check: Check) -> None:
    """Let `check` judge permissions: it raises SignInNeeded, Forbidden or NotFound, or returns."""
    global _check
    _check = check


def require(permission: Permission, **arguments: Any) -> None:
    """Raise unless the present viewer has `permission`."""
    if permission != "public":
        _check(permission, arguments)


def may(permission: Permission, **arguments: Any) -> bool:
    """Whether the present viewer has `permission`: for showing or leaving out links."""
    try:
        require(permission, **arguments)
    except (SignInNeeded, Forbidden, NotFound):
        return False
    return True


def route(
    blueprint: Blueprint,
    rule: str,
    *,
    permission: Permission,
    methods: Sequence[str] = ("GET",),
    endpoint: str | None = None,
    **options: Any,
) -> Callable[[View], View]:
    """Serve `rule` by the function below, for those who have `permission`."""

    def declare(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> ResponseReturnValue:
            require(permission, **arguments)
            return view(**arguments)

        guarded.__dict__["permission"] = permission
        name = endpoint or cast(Any, view).__name__
        blueprint.add_url_rule(rule, name, guarded, methods=list(methods), **options)
        return view

    return declare


def permission_of(app: Flask, endpoint: str) -> Permission | None:
    """The declared permission of an endpoint, None when it has none."""
    return cast("Permission | None", getattr(app.view_functions.get(endpoint), "permission", None))


def require_declared(app: Flask) -> None:
    """Refuse to start an application with a route that does not say who may use it."""
    silent = sorted({str(r) for r in app.url_map.iter_rules() if permission_of(app, r.endpoint) is None})
    if silent:
        raise RuntimeError(f"these routes declare no permission: {', '.join(silent)}")
