"""Each panel says what it is for and leads to a page of the guide that is there."""

import pytest

import formloop.app  # makes every kind known
from docs.test_links import ROOT, anchors_of
from formloop.access import people
from formloop.core.definitions import kinds
from formloop.studio.guide import CHINESE, HELPS, explain

assert formloop.app
LINKS = sorted({each.at for helps in HELPS.values() for each in helps} | set(CHINESE.values()))


@pytest.mark.parametrize("link", LINKS)
def test_a_panel_leads_to_a_heading_that_is_there(link):
    page, _, heading = link.partition("#")
    assert not heading or heading in anchors_of(ROOT / "docs" / page)
    assert (ROOT / "docs" / page).is_file()


def test_every_kind_is_explained_wherever_one_looks():
    assert [kind.name for kind in kinds if explain(kind.name, ()) is None] == []
    assert [kind.name for kind in kinds if kind.name not in CHINESE] == []
    assert explain("form", ("properties", "item")).at == "guide/forms.md#fields"
    assert explain("form", ("x-list",)) != explain("form", ())
    assert explain("form", ("x-layout", "head")) not in (
        explain("form", ()),
        explain("form", ("properties",)),
    )
    branch = ("steps", "split", "branches", "big")
    assert explain("workflow", branch) != explain("workflow", (*branch, "steps", "ask"))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_panel_shows_its_sentence_and_the_guide_is_read_inside_the_program(studio):
    client = studio.client(studio.mei)
    panel = client.get(f"/studio/{studio.id}?at=properties/item").text
    assert "One field:" in panel and 'href="/help/guide/forms.md#fields"' in panel
    page = client.get("/help/guide/forms.md").text
    assert '<h2 id="fields">' in page and "<table>" in page and " style=" not in page
    assert client.get("/help/README.md").status_code == 200
    people.prefer(studio.mei.person_id, "locale", "zh-CN")
    assert 'href="/help/zh-CN/form.md"' in client.get(f"/studio/{studio.id}?at=properties/item").text
    assert 'lang="zh-CN"><div' in client.get("/help/zh-CN/form.md").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "name", ["../pyproject.toml", "../README.md", "guide/nothing.md", "/etc/passwd", "guide"]
)
def test_nothing_but_pages_of_the_documentation_is_shown(studio, name):
    assert studio.client(studio.mei).get(f"/help/{name}").status_code in (301, 308, 404)
    assert studio.app.test_client().get("/help/README.md").status_code != 200
