"""Pages of fields: every type on an edit page, a record page and a list; files only to who may see the field."""

import re
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from databases import Begun, Build
from formloop.access import people, sessions
from formloop.access.actor import SYSTEM
from formloop.access.signing import COOKIE
from formloop.definitions import service as definitions
from formloop.forms import service
from forms.specimens import everything, publish_all

READER = {
    "x-kind": "role",
    "x-id": "0000a00f",
    "x-key": "reader",
    "title": "Reader",
    "grants": [{"id": "all", "form": "everything", "may": ["view"], "except": ["attachment", "amount"]}],
}


@pytest.fixture
def site(build: Build, begun: Begun) -> Flask:
    app = build()
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        begun(publish_all)
        definitions.publish_many(SYSTEM, [READER], "test")
    return app


def browser_of(app: Flask, account: str, **more: Any) -> FlaskClient:
    with app.app_context():
        person = people.add_person(SYSTEM, account, account.title(), **more)
        secret = sessions.open_session(person)
    client = app.test_client()
    client.set_cookie(COOKIE, secret)
    return client


@pytest.fixture
def boss(site: Flask) -> FlaskClient:
    return browser_of(site, "boss", administrator=True)


def send(client: FlaskClient, path: str, name: str, content: bytes) -> Any:
    return client.post(f"/f/everything/upload/{path}", data={"file": (BytesIO(content), name)})


def saved(site: Flask, **raw: Any) -> int:
    with site.app_context():
        return int(service.create(SYSTEM, "everything", raw)["id"])


def test_every_type_is_drawn_on_every_page(site: Flask, boss: FlaskClient) -> None:
    record = saved(
        site, rich_text="<p>a <strong>b</strong></p>", amount="5", contact="a@b.cn", subform=[{"text": "x"}]
    )
    for page in ("new", str(record), f"{record}/edit"):
        answer = boss.get(f"/f/everything/{page}")
        html = answer.get_data(as_text=True)
        assert answer.status_code == 200
        for schema in everything()["properties"].values():
            assert schema["title"] in html, page
        assert not re.search(r"\sstyle=|\son[a-z]+=\"", html)
    assert boss.get("/f/everything").status_code == 200


def test_rich_text_shows_its_marks_and_never_a_script(site: Flask, boss: FlaskClient) -> None:
    record = saved(
        site, rich_text="<p>a <strong>b</strong></p><script>alert(1)</script><a href='javascript:x()'>c</a>"
    )
    html = boss.get(f"/f/everything/{record}").get_data(as_text=True)
    assert "<strong>b</strong>" in html and "alert(1)" not in html and "javascript:" not in html


def test_a_file_goes_up_and_comes_down_as_an_attachment(site: Flask, boss: FlaskClient) -> None:
    key = send(boss, "attachment", "plan.html", b"<script>1</script>").get_json()["files"][0]["key"]
    record = saved(site, attachment=[key])
    answer = boss.get(f"/f/everything/file/attachment/{key}?record={record}")
    assert answer.get_data() == b"<script>1</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_of_a_hidden_field_is_not_found(site: Flask, boss: FlaskClient) -> None:
    keys = {p: send(boss, p, n, c).get_json()["files"][0]["key"] for p, n, c in (
        ("attachment", "a.txt", b"secret"), ("image", "a.png", b"\x89PNG\r\n\x1a\n0000"))}  # fmt: skip
    record = saved(site, attachment=[keys["attachment"]], image=[keys["image"]])
    reader = browser_of(site, "reader", roles=["reader"])
    seen = {
        path: reader.get(f"/f/everything/file/{path}/{key}?record={record}").status_code
        for path, key in keys.items()
    }
    assert seen == {"attachment": 404, "image": 200}
    assert reader.get(f"/f/everything/file/image/{keys['attachment']}?record={record}").status_code == 404
    assert reader.get(f"/f/everything/file/image/{keys['image']}").status_code == 404


def test_a_wrong_kind_of_file_is_told_in_words(boss: FlaskClient) -> None:
    answer = send(boss, "image", "a.exe", b"MZ")
    assert answer.status_code == 422 and "a.exe" in answer.get_json()["message"]


def test_who_may_not_write_may_not_upload(site: Flask) -> None:
    assert send(browser_of(site, "reader", roles=["reader"]), "image", "a.png", b"x").status_code in (
        403,
        404,
    )


def test_parts_of_an_address_are_saved_together(site: Flask, boss: FlaskClient) -> None:
    form = {"address:city": "Ningbo", "address:street": "1 Sea Road", "subform.lines": "1", "subform.0.location:latitude": "30", "subform.0.location:longitude": "120"}  # fmt: skip
    answer = boss.post("/f/everything/new", data=form)
    html = boss.get(answer.headers["Location"]).get_data(as_text=True)
    assert "1 Sea Road, Ningbo" in html
    assert "30, 120" in html


def test_the_table_and_the_card_of_another_form(site: Flask, boss: FlaskClient) -> None:
    with site.app_context():
        partner = service.create(SYSTEM, "partner", {"name": "Acme", "code": "A1", "region": "East"})["id"]
        service.create(SYSTEM, "rate", {"partner": partner, "price": "12.5"})
    record = saved(site, relation=partner)
    assert "12.50" in boss.get(f"/f/everything/query/query?record={record}").get_data(as_text=True)
    assert "12.50" in boss.post("/f/everything/query/query", data={"relation": str(partner)}).get_data(
        as_text=True
    )
    card = boss.get(f"/f/everything/card/relation/{partner}").get_data(as_text=True)
    assert "A1" in card and "East" in card
    reader = browser_of(site, "reader", roles=["reader"])
    assert "12.50" not in reader.get(f"/f/everything/query/query?record={record}").get_data(as_text=True)
    assert reader.get(f"/f/everything/card/relation/{partner}").status_code == 404


def test_an_import_by_its_pages(site: Flask, boss: FlaskClient) -> None:
    from formloop.events import outbox

    file = {"file": (BytesIO(b"Name,Code,Level\nAcme,A1,A\nBolt,B1,Z\n"), "rows.csv")}
    page = boss.post("/f/partner/import", data=file).headers["Location"]
    html = boss.get(page).get_data(as_text=True)
    assert html.count("selected") >= 3
    boss.post(f"{page}/check", data={"column.0": "name", "column.1": "code", "column.2": "level"})
    with site.app_context():
        outbox.drain("job")
    assert "Row 3, Level" in boss.get(page).get_data(as_text=True)
    assert boss.get(f"{page}/progress").status_code == 286
    assert boss.get(f"{page}/mend").mimetype.endswith("sheet")
    for step in ("run", "undo"):
        boss.post(f"{page}/{step}", data={})
        with site.app_context():
            outbox.drain("job")
    assert "taken back" in boss.get(page).get_data(as_text=True)
    other = browser_of(site, "other", administrator=True)
    assert other.get(page).status_code == 404


def test_an_export_by_its_pages(site: Flask, boss: FlaskClient) -> None:
    from formloop.events import outbox

    saved(site, text="a")
    page = boss.post("/f/everything/export", data={"kind": "csv"}).headers["Location"]
    with site.app_context():
        outbox.drain("job")
    assert b"a" in boss.get(f"{page}/file").get_data()
    other = browser_of(site, "other", administrator=True)
    assert other.get(f"{page}/file").status_code == 404


def test_filters_offer_what_can_be_chosen(site: Flask, boss: FlaskClient) -> None:
    saved(site, cascade="Zhejiang / Ningbo")
    saved(site, cascade="Jiangsu / Suzhou")
    panel = boss.get("/f/everything/panel").get_data(as_text=True)
    for branch in ("Zhejiang", "Zhejiang / Ningbo"):
        assert f'<option value="{branch}">' in panel
    assert 'data-fl-choices="/f/everything/choices/region"' in panel
    found = boss.get("/f/everything?f.cascade.starts=Zhejiang&c=cascade").get_data(as_text=True)
    assert "Zhejiang / Ningbo" in found and "Jiangsu / Suzhou" not in found
    chosen = boss.get("/f/everything/panel?f.region.is=R-one").get_data(as_text=True)
    assert '<option value="R-one" selected>R-one</option>' in chosen
