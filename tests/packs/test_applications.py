"""Applications: made, ordered, opened, copied whole, taken to another site and back, removed when empty."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from formloop import db
from formloop.access import people, sessions
from formloop.access.actor import SYSTEM, Actor, get_actor
from formloop.access.signing import COOKIE
from formloop.app import create_app
from formloop.core.definitions import diff, kinds
from formloop.core.errors import Invalid
from formloop.definitions import apps, library
from formloop.definitions import service as definitions
from formloop.forms import service as records
from formloop.packs import applications, bound, copying, reading, service
from formloop.settings import read_settings
from packs.archives import note_form

SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
HERE = {"Origin": "http://localhost"}
SHIPPED = sorted(path.parent.name for path in Path("templates_library").glob("*/pack.json"))


def rich_note(**more: object) -> dict[str, object]:
    """A form that points to itself, with a layout, a numbering and an example."""
    fields = {
        "number": {"type": "string", "title": "No", "x-type": "serial", "x-serial": "N{0001}"},
        "code": {"type": "string", "title": "Code"},
        "after": {"type": "integer", "title": "After", "x-type": "relation", "x-relation": {"form": "note"}},
    }
    example = {"id": "ex1", "title": "A note", "on": "2026-01-05", "given": {"code": "A"}}
    layout = {"x-layout": [["number", "code"], ["after"]], "x-examples": [example]}
    return {**note_form(properties=fields), **layout, **more}


ROLE = {
    "x-kind": "role", "x-id": "0000cccc", "x-key": "note_keeper", "title": "Note keeper",
    "grants": [{"id": "all", "form": "note", "may": ["view", "create", "edit"]}],
}  # fmt: skip
FLOW = {
    "x-kind": "workflow", "x-id": "0000dddd", "x-key": "note_check", "title": "Note check", "form": "note",
    "steps": [{"id": "ask", "node": "approval", "title": "Check",
               "who": [{"rule": "role", "role": "note_keeper"}]}],
}  # fmt: skip
ROWS = {
    "x-kind": "dataset", "x-id": "0000eeee", "x-key": "all_notes", "title": "All notes", "menu": True,
    "from": {"form": "note"}, "columns": {"code": "code"},
}  # fmt: skip


@pytest.fixture
def notes(app: Flask) -> str:
    """An application with a form, a workflow, a role and a dataset, opening with the dataset."""
    key = applications.create(SYSTEM, "Notes", "便条", "book", "green")
    definitions.publish_many(SYSTEM, [rich_note(), ROLE, FLOW, ROWS], "made here")
    ids = [each.id for each in applications.get_application(service.OWN_FORMS).contents]
    applications.move(SYSTEM, ids, key)
    face = {**(library.find_document("app", key) or {}), "home": "dataset:all_notes",
            "menu": ["dataset:all_notes", "form:note"]}  # fmt: skip
    definitions.publish_many(SYSTEM, [face], "opens with its notes")
    return key


@pytest.fixture
def builder(app: Flask) -> Iterator[FlaskClient]:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(_mei().person_id))
    yield client


def _mei() -> Actor:
    found = people.find_person("mei")
    return get_actor(found.id if found else people.add_person(SYSTEM, "mei", "Mei", administrator=True))


def test_a_copy_has_keys_of_its_own_and_what_pointed_inside_points_inside_again(notes: str) -> None:
    key = copying.copy(SYSTEM, notes, "Second notes", "第二便条")
    copied = {doc["x-kind"]: doc for doc in service.documents_of(key)}
    assert set(copied) == {"app", "form", "workflow", "role", "dataset"}
    assert copied["form"]["x-key"] == "note_2"
    assert copied["form"]["properties"]["after"]["x-relation"] == {"form": "note_2"}
    assert copied["workflow"]["form"] == "note_2"
    assert copied["workflow"]["steps"][0]["who"] == [{"rule": "role", "role": "note_keeper_2"}]
    assert copied["role"]["grants"][0]["form"] == "note_2"
    assert copied["role"]["title"] == "Note keeper (copy)"
    again = service.documents_of(copying.copy(SYSTEM, notes, "Third notes"))
    assert {"Note keeper (copy 2)"} == {doc["title"] for doc in again if doc["x-kind"] == "role"}
    assert copied["dataset"]["from"] == {"form": "note_2"}
    assert copied["app"]["home"] == "dataset:all_notes_2"
    assert copied["app"]["menu"] == ["dataset:all_notes_2", "form:note_2"]
    assert not {doc["x-id"] for doc in copied.values()} & {d["x-id"] for d in service.documents_of(notes)}
    first = records.create(SYSTEM, "note_2", {"code": "A"})
    assert first["number"] == "N0001"


def test_notes_that_the_product_writes_are_in_the_language_of_whoever_did_it(app: Flask, notes: str) -> None:
    chinese = replace(_mei(), locale="zh-CN")
    key = copying.copy(chinese, notes, "Second")
    made = applications.create(chinese, "Third", "", "book", "green")
    entries = [entry for each in (key, made) if (entry := library.find_entry("app", each))]
    assert [definitions.list_history(each.id)[0].note for each in entries] == ["复制自“便条”", "新建"]


def test_a_copy_of_a_copy_follows_its_own(notes: str) -> None:
    key = copying.copy(SYSTEM, copying.copy(SYSTEM, notes, "Second"), "Third")
    assert {doc["x-key"] for doc in service.documents_of(key)} >= {"note_2_2", "note_keeper_2_2"}


@SQLITE
@pytest.mark.parametrize("shipped", SHIPPED)
def test_every_shipped_application_can_be_copied(app: Flask, shipped: str) -> None:
    service.install(SYSTEM, service.get_pack(shipped), with_samples=False)
    there = {(doc["x-kind"], doc["x-key"]) for doc in service.documents_of(shipped)}
    key = copying.copy(SYSTEM, shipped, "Another one")
    for doc in service.documents_of(key):
        assert kinds.get(doc["x-kind"]).references(doc) & there == set(), doc["x-key"]


def test_export_import_and_export_are_the_same_bytes(app: Flask, notes: str) -> None:
    files = service.export(SYSTEM, notes)
    assert {"notes.app.json", "note.form.json", "all_notes.dataset.json"} <= set(files)
    assert '"x-examples"' in files["note.form.json"] and '"x-layout"' in files["note.form.json"]
    pack = reading.read_zip(service.zipped(files))
    service.install(SYSTEM, pack)
    assert service.export(SYSTEM, notes) == files
    assert service.zipped(service.export(SYSTEM, notes)) == service.zipped(files)


@SQLITE
def test_another_site_gives_back_the_bytes_it_was_given(app: Flask, notes: str, tmp_path: Path) -> None:
    archive = service.zipped(service.export(SYSTEM, notes))
    db.engine().dispose()
    elsewhere = create_app(read_settings({"FORMLOOP_INSTANCE": str(tmp_path / "elsewhere")}))
    with elsewhere.app_context():
        assert library.find_document("app", notes) is None
        service.install(SYSTEM, reading.read_zip(archive))
        assert service.zipped(service.export(SYSTEM, notes)) == archive


@SQLITE
def test_an_application_of_a_builder_is_imported_by_a_builder_elsewhere(app: Flask, tmp_path: Path) -> None:
    key = applications.create(SYSTEM, "Molds", "模具", "book", "green")
    draft = definitions.save_draft(_builder(), "form", note_form(), app=key)
    definitions.publish(_builder(), draft.id)
    applications.move(SYSTEM, [library.find_entry("role", "note_all").id], key)
    archive = service.zipped(service.export(SYSTEM, key))
    db.engine().dispose()
    elsewhere = create_app(read_settings({"FORMLOOP_INSTANCE": str(tmp_path / "elsewhere")}))
    with elsewhere.app_context():
        service.install(_builder(), reading.read_zip(archive))
        assert [role.key for role in library.list_entries() if role.kind == "role" and role.app == ""] == [
            "maker"
        ]
        assert service.zipped(service.export(_builder(), key)) == archive


@SQLITE
def test_a_builder_may_use_the_copy_they_made(notes: str) -> None:
    copying.copy(_builder(), notes, "Second notes")
    assert records.create(_builder(), "note_2", {"code": "A"})["id"]


def _builder() -> Actor:
    """Somebody who designs and installs, and may do nothing else."""
    if found := people.find_person("lin"):
        return get_actor(found.id)
    may = [{"id": "d", "on": "definition", "may": ["design"]}, {"id": "p", "on": "pack", "may": ["install"]}]
    maker = {"x-kind": "role", "x-id": "0000bbbb", "x-key": "maker", "title": "Maker", "grants": may}
    definitions.publish_many(SYSTEM, [maker], "builders")
    return get_actor(people.add_person(SYSTEM, "lin", "Lin", roles=["maker"]))


def test_another_application_with_the_same_key_does_not_take_its_place(notes: str) -> None:
    from packs.archives import note_pack

    other = note_pack(note_form(**{"x-id": "0000ffff", "x-key": "other"}), key=notes)
    assert "other_pack" in [problem.code for problem in service.check(SYSTEM, other)]


def test_only_an_empty_application_is_removed(notes: str) -> None:
    with pytest.raises(Invalid):
        applications.remove(SYSTEM, notes)
    ids = [each.id for each in applications.get_application(notes).contents]
    face = {**(library.find_document("app", notes) or {})}
    face.pop("home")
    definitions.publish_many(SYSTEM, [face], "no start")
    applications.move(SYSTEM, ids, service.OWN_FORMS)
    applications.remove(SYSTEM, notes)
    assert notes not in apps.list_apps()
    assert library.find_entry("form", "note").app == ""


def test_what_a_pack_brought_stays_with_it(app: Flask) -> None:
    key = applications.create(SYSTEM, "Mine", "", "book", "green")
    service.install(SYSTEM, service.get_pack("master_data"), with_samples=False)
    unit = library.find_entry("form", "unit")
    with pytest.raises(Invalid):
        applications.move(SYSTEM, [unit.id], key)
    assert library.find_entry("form", "unit").app == "master_data"


@SQLITE
def test_an_application_is_made_shaped_and_copied_in_the_browser(builder: FlaskClient) -> None:
    said = {"title": "Tools", "title_zh": "工具", "icon": "tools", "color": "orange"}
    assert "Tools" in builder.post("/apps/new", data=said, headers=HERE, follow_redirects=True).text
    assert builder.post("/apps/new", data={"title": " "}, headers=HERE).status_code == 422
    begun = builder.post("/studio/new", data={"name": "Wrench", "app": "tools"}, headers=HERE)
    wrench = begun.location.rpartition("/")[2]
    assert definitions.get_definition(wrench).app == "tools"
    assert "Wrench" in builder.get("/apps/tools/contents").text
    assert builder.post("/apps/tools/remove", headers=HERE).status_code == 422
    designer = builder.post("/apps/tools/shape", headers=HERE).location
    shown = builder.get(designer).text
    assert 'name="v-icon" value="tools" aria-label="Set of tools" checked' in shown
    assert 'name="v-color" value="orange"' in shown


@SQLITE
def test_an_application_may_be_called_in_chinese_alone(builder: FlaskClient) -> None:
    made = builder.post("/apps/new", data={"title": "", "title_zh": "售后服务"}, headers=HERE)
    key = made.location.split("/")[2]
    assert applications.get_application(key).app.name("en") == "售后服务"
    assert applications.get_application(key).app.name("zh-CN") == "售后服务"


@SQLITE
def test_the_menu_and_the_start_follow_the_application(notes: str, builder: FlaskClient) -> None:
    assert builder.get(f"/apps/{notes}").location.endswith("/datasets/all_notes")
    page = builder.get(f"/apps/{notes}?all=1").text
    assert page.index("All notes") < page.rindex("/f/note")
    side = builder.get("/apps").text
    assert side.index("/datasets/all_notes") < side.index('href="/f/note"')
    definition = applications.get_application(notes).definition
    url, revision = f"/studio/{definition.id}/do/menu-up", definitions.get_definition(definition.id)
    moved = {"revision": revision.draft_revision, "value": "form:note"}
    assert builder.post(url, data=moved, headers={**HERE, "HX-Request": "true"}).status_code == 200
    draft = definitions.find_draft(definition.id)
    assert draft is not None and draft.doc["menu"] == ["form:note", "dataset:all_notes"]


@SQLITE
def test_what_an_application_says_is_prose_and_runs_nothing(builder: FlaskClient) -> None:
    key = applications.create(SYSTEM, "Said", "", "book", "green")
    text = "Go to [orders](/f/order).\n\n<script>alert(1)</script> [bad](javascript:alert(1))"
    face = {**(library.find_document("app", key) or {}), "description": text}
    definitions.publish_many(SYSTEM, [face], "said")
    page = builder.get(f"/apps/{key}").text
    assert '<a href="/f/order">orders</a>' in page
    assert "<script>alert" not in page and 'href="javascript' not in page


@SQLITE
def test_who_may_see_nothing_of_an_application_is_not_told_that_it_is_there(app: Flask, notes: str) -> None:
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(people.add_person(SYSTEM, "guest", "Guest")))
    assert client.get(f"/apps/{notes}").status_code == client.get("/apps/nothing_here").status_code == 404
    assert client.get("/apps").status_code == 403


@SQLITE
def test_a_builder_may_use_the_form_they_made_in_an_application(app: Flask) -> None:
    key = applications.create(SYSTEM, "Mine", "", "book", "green")
    draft = definitions.save_draft(_builder(), "form", note_form(), app=key)
    definitions.publish(_builder(), draft.id)
    assert records.create(_builder(), "note", {"code": "A"})["id"]


@SQLITE
def test_an_empty_application_leads_to_what_can_be_moved_into_it(notes: str, builder: FlaskClient) -> None:
    key = applications.create(SYSTEM, "Empty", "", "book", "green")
    asked = f"/apps/{notes}/contents?to={key}"
    assert asked in builder.get(f"/apps/{key}/contents").text
    assert f'<option value="{key}" selected>' in builder.get(asked).text
    assert "Move something here" not in builder.get(f"/apps/{notes}/contents").text


@SQLITE
def test_what_only_this_site_can_read_is_told_before_it_is_taken_along(app: Flask, notes: str) -> None:
    sales = people.add_department(SYSTEM, "sales", "Sales", name_zh="销售部")
    mei = people.add_person(SYSTEM, "mei", "Mei", administrator=True)
    known = records.create(SYSTEM, "note", {"code": "A"})["id"]
    assert bound.list_bound(service.documents_of(notes)) == []
    grants = [{**ROLE["grants"][0], "where": f"department = {sales} OR owner = {mei}"}]  # type: ignore[index]
    form = rich_note()
    form["properties"]["code"]["x-visible"] = f"after = {known}"  # type: ignore[index]
    definitions.publish_many(SYSTEM, [{**ROLE, "grants": grants}, form], "bound")
    found = bound.list_bound(service.documents_of(notes))
    said = {each.said("en") for each in found}
    assert said == {
        f"“{form['title']} › Fields › Code › Shown when” names a record (#{known}).",
        "“Note keeper › Grants › Note › Only records where” names the person Mei, the department Sales.",
    }
    assert any("部门 销售部" in each.said("zh-CN") for each in found)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    client.set_cookie(COOKIE, sessions.open_session(mei))
    shown = client.get(f"/apps/{notes}/contents").text
    assert "the department Sales" in shown and 'href="/studio/0000cccc">' in shown
    assert f'href="/studio/{form["x-id"]}?at=properties/code">' in shown
    brought = client.post("/templates/upload", data={"file": (_zipped(notes), "n.zip")}, headers=HERE)
    assert 'href="/studio/0000cccc">' in client.get(brought.headers["Location"]).text  # it is here


@SQLITE
def test_rights_that_do_not_go_along_are_told_before_and_after(notes: str, builder: FlaskClient) -> None:
    grant = {"id": "all", "form": "note", "may": ["view"]}
    reader = {"x-kind": "role", "x-id": "0000ffff", "x-key": "reader", "title": "Reader", "grants": [grant]}
    keeper = {**ROLE, "grants": []}
    definitions.publish_many(SYSTEM, [reader, keeper], "rights of elsewhere")
    title = rich_note()["title"]
    asked, shown = builder.get(f"/apps/new?copy={notes}").text, builder.get(f"/apps/{notes}/contents").text
    assert all(f"Reader: {title}" in each and 'id="behind"' in each for each in (asked, shown))
    assert 'id="unseen"' not in shown
    made = builder.post("/apps/new", data={"copy": notes, "title": "Second"}, headers=HERE).location
    copied = builder.get(made).text
    assert "Copied without the rights of Reader" in copied
    form = library.find_entry("form", "note_2")
    assert form is not None
    assert f'<a href="/studio/rights/{form.id}">{title}</a>' in copied.partition('id="unseen"')[2]


@SQLITE
def test_an_account_that_a_workflow_names_is_told_before_it_is_taken_along(app: Flask, notes: str) -> None:
    who = [{"rule": "people", "people": ["mei"]}]
    ask = {"id": "ask", "node": "approval", "title": "Check", "who": who}
    definitions.publish_many(SYSTEM, [{**FLOW, "steps": [ask]}], "asks mei")
    (found,) = bound.list_bound(service.documents_of(notes))
    assert found.said("en").startswith("“Note check › ") and found.said("en").endswith("the account mei.")
    assert "账号 mei" in found.said("zh-CN")
    split = {"id": "condition", "node": "condition", "branches": [{"id": "condition_a", "steps": [ask]}]}
    definitions.publish_many(SYSTEM, [{**FLOW, "steps": [split]}], "asks mei in a branch")
    (found,) = bound.list_bound(service.documents_of(notes))
    place = found.said("en").partition("Steps › ")[2]
    assert place.startswith("Condition (no. 1) › Branches › no. 1 › ") and "“0”" not in place


def _zipped(app: str) -> BytesIO:
    return BytesIO(service.zipped(service.export(SYSTEM, app)))


@SQLITE
def test_the_menu_the_start_page_and_the_page_of_an_application_have_one_order(
    notes: str, app: Flask
) -> None:
    """Three forms behind the one that its menu names, with titles that are not in the order of their keys."""
    titles = {"a_form": "Zinc", "b_form": "Brass", "c_form": "Copper"}
    for number, (key, title) in enumerate(titles.items()):
        form = {**note_form(), "x-id": f"0000a00{number}", "x-key": key, "title": title}
        definitions.save_draft(SYSTEM, "form", form, app=notes)
        definitions.publish(SYSTEM, form["x-id"])
    for number, title in enumerate(
        ("Beta", "Alpha")
    ):  # whose places are the same, and whose keys are not in order
        applications.create(SYSTEM, title, "", "book", "green")
        form = {**note_form(), "x-id": f"0000b00{number}", "x-key": f"of_{number}", "title": f"Of {title}"}
        definitions.save_draft(SYSTEM, "form", form, app=title.lower())
        definitions.publish(SYSTEM, form["x-id"])
    client = app.test_client()
    boss = people.add_person(SYSTEM, "boss", "Boss", administrator=True)
    client.set_cookie(COOKIE, sessions.open_session(boss))
    start = client.get("/").text
    wanted = ["Of Alpha", "Of Beta", "Note", "Brass", "Copper", "Zinc"]

    def order(text: str) -> list[str]:
        return sorted(wanted, key=lambda title: text.index(f">{title}<"))

    menu, tiles = start.split("<main", 1)
    assert order(menu) == order(tiles) == wanted
    own = client.get(f"/apps/{notes}?all=1").text.split("<main", 1)[1]
    assert sorted(wanted[2:], key=lambda title: own.index(f">{title}<")) == wanted[2:]


@SQLITE
def test_a_changed_menu_says_what_came_what_went_and_its_order(notes: str) -> None:
    before = {**(library.find_document("app", notes) or {}), "menu": ["form:note"]}

    def told(menu: list[str], locale: str = "en") -> list[str]:
        return [each.describe(locale) for each in diff(before, {**before, "menu": menu}, kinds.get("app"))]

    assert told(["form:note", "dataset:all_notes"]) == ["“All notes” came into the menu."]
    assert told(["dataset:all_notes"], "zh-CN") == ["菜单中加入了“All notes”。 菜单中移出了“便条”。"]
    before["menu"] = ["form:note", "dataset:all_notes"]
    assert told(["dataset:all_notes", "form:note"]) == ["The order of the menu is now: “All notes”, “Note”."]
    pages = [f"form:{each}" for each in ("note", "a", "b")]
    assert told(pages)[0].startswith("“a”, “b” came into the menu.")
    (home,) = diff({**before, "home": "dataset:all_notes"}, {**before, "home": "form:note"}, kinds.get("app"))
    assert home.describe("zh-CN") == "打开时显示：由“All notes”改为“便条”。"
    assert told([]) == ["The menu has no order of its own any more."]
