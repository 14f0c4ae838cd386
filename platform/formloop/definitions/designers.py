"""Where definitions are drawn: rooms above add the pages of each kind."""

from flask import current_app, url_for

from formloop.core.registry import Registry
from formloop.definitions.service import Definition

designers: Registry[str] = Registry("designer")  # kind → endpoint of its designer, called with definition_id


def find_page(registry: Registry[str], kind: str) -> str | None:
    """The endpoint for a kind; a process may hold several sites with different rooms."""
    endpoint = registry.find(kind)
    return endpoint if endpoint in current_app.view_functions else None


def design_url(definition: Definition) -> str | None:
    """The address of a definition's designer, if its kind has one here."""
    endpoint = find_page(designers, definition.kind)
    return url_for(endpoint, definition_id=definition.id) if endpoint else None
