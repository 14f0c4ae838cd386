"""Reading drafts, which may be wrong in every way: what is not what it should be counts as empty."""

from typing import Any


def mapping(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The texts in a list."""
    return [each for each in listing(value) if isinstance(each, str)]
