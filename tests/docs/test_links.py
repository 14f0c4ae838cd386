"""Every link between pages of the documentation leads somewhere, and every page is reached."""

import re
from pathlib import Path

import pytest

import formloop

ROOT = Path(formloop.__file__).parents[2]
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def links_of(document: Path) -> list[tuple[str, str]]:
    """Where a page leads: file and heading, addresses elsewhere left out."""
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    inside = [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]
    return [(link.partition("#")[0], link.partition("#")[2]) for link in inside]


def anchors_of(document: Path) -> set[str]:
    """The headings of a page as addresses."""
    found = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


@pytest.mark.parametrize("document", PAGES, ids=lambda document: str(document.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    for target, heading in links_of(document):
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), f"{target} is not there"
        assert not heading or heading in anchors_of(found), f"{target} has no heading {heading}"


def test_every_page_is_reached_from_the_index():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        document = document / "README.md" if document.is_dir() else document
        if document in seen or document.suffix != ".md" or not document.exists():
            continue
        seen.add(document)
        waiting += [(document.parent / target).resolve() for target, _ in links_of(document) if target]
    assert {str(p.relative_to(ROOT)) for p in PAGES} - {str(p.relative_to(ROOT)) for p in seen} == set()
