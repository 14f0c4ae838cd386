"""The Chinese guide calls what stands on the screen by its name, and every page leads on from its index."""

import re
from pathlib import Path

import pytest

import formloop

ROOT = Path(formloop.__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "zh-CN").glob("*.md"))
EMPHASIS = {"粗体"}


@pytest.fixture(scope="module")
def on_screen():
    """Every Chinese word of the program: of its catalogues, and of the schemas that its panels are drawn from."""
    platform = ROOT / "platform" / "formloop"
    words = set()
    for file in platform.rglob("zh_CN.po"):
        words |= set(re.findall(r'^msgstr "(.+)"$', file.read_text("utf-8"), re.MULTILINE))
    for file in [*platform.rglob("*.json"), *platform.rglob("*.py")]:
        words |= set(re.findall(r'"zh-CN": "([^"]+)"', file.read_text("utf-8")))
    return {re.sub(r"（\{.*\}）", "", word) for word in words}  # a count behind it is not spoken of


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_what_is_bold_stands_on_the_screen(document, on_screen):
    bold = re.findall(r"\*\*([^*]+)\*\*", document.read_text("utf-8"))
    demo = (ROOT / "templates_library" / "demo.json").read_text("utf-8")
    unknown = {word for word in bold if word not in on_screen | EMPHASIS and word not in demo}
    assert unknown == set()


def test_the_index_leads_to_every_page_and_every_page_back():
    index = (ROOT / "docs" / "zh-CN" / "README.md").read_text("utf-8")
    for document in (each for each in PAGES if each.name != "README.md"):
        assert f"({document.name})" in index
        assert "(README.md)" in document.read_text("utf-8")


def test_its_commands_are_those_of_the_makefile():
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    said = {name for each in PAGES for name in re.findall(r"`make (\w+)", each.read_text("utf-8"))}
    assert said and said <= made
