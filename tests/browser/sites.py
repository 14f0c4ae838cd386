"""What browser tests are given."""

import os
import subprocess
import sys
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

    def run(self, *command: str) -> None:
        """`formloop …` on this site, which must succeed."""
        own = {**os.environ, "FORMLOOP_INSTANCE": str(self.instance)}
        subprocess.run([sys.executable, "-m", "formloop.cli", *command], env=own, check=True, timeout=120)
