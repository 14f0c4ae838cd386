"""What browser tests are given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

Photograph = Callable[[Page, str], Path]


@dataclass(frozen=True)
class Site:
    """The whole product as people run it: `formloop serve` with the demo, in a folder of its own."""

    address: str
    instance: Path
