"""The shop of the forms' tests, with datasets over it."""

from typing import Any

from formloop.core.definitions import Doc
from formloop.datasets.kind import DATASET
from forms.conftest import client, shop

assert DATASET.name == "dataset"  # importing it makes the kind known

__all__ = ["client", "dataset", "shop"]


def dataset(key: str, source: Any, columns: dict[str, Any], **more: Any) -> Doc:
    number = sum(ord(letter) * 263**place for place, letter in enumerate(key)) % 0xFFFFFFFF
    head = {"x-kind": "dataset", "x-id": f"{number:08x}", "x-key": key, "title": key.capitalize()}
    return {**head, "from": source, "columns": columns, **more}
