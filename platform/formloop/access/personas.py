"""The people of a demo, as `demo.json` beside the packs tells them: the program itself knows none."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from formloop.core.json_text import loads
from formloop.core.text import localized
from formloop.settings import Settings


@dataclass(frozen=True, slots=True)
class Demo:
    """Departments and people, in the order in which they are shown."""

    departments: tuple[Mapping[str, Any], ...] = ()
    people: tuple[Mapping[str, Any], ...] = ()

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whom one can sign in as."""
        return tuple(each["account"] for each in self.people)

    def deed(self, account: str, locale: str) -> str:
        """What somebody does, in a sentence of a few words."""
        return next((localized(p, "title", locale) for p in self.people if p["account"] == account), "")


def read_demo(settings: Settings) -> Demo:
    """The demo of this site's packs; nobody where it has none."""
    return _read(settings.packs / "demo.json")


@lru_cache(maxsize=8)
def _read(path: Path) -> Demo:
    if not path.is_file():
        return Demo()
    found = loads(path.read_text("utf-8"))
    return Demo(tuple(found["departments"]), tuple(found["people"]))
