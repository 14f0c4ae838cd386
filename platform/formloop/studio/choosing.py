"""What a page asks for while somebody types: choices that are too many to stand in it."""

from flask import Blueprint, Response, jsonify, request

from formloop.definitions.views import DESIGN
from formloop.studio.pickers import searched
from formloop.web.routes import route

blueprint = Blueprint("studio_choosing", __name__, url_prefix="/studio/choices")


@route(blueprint, "/<word>", permission=DESIGN)
def find(word: str) -> Response:
    """The first choices that fit what was typed."""
    found = searched.get(word).find(request.args.get("q", "")[:100].strip())
    return jsonify([{"value": value, "text": text, "hint": hint} for value, text, hint in found])
