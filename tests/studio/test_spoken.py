"""Texts of definitions are asked for by language, and kept for the language they are typed under."""

from werkzeug.datastructures import MultiDict

from formloop.studio.filling import read_section
from studio.conftest import PAPER
from studio.test_panel import labels_in, open_panel, with_item


def test_a_hint_is_asked_for_in_the_reader_s_language_first(studio):
    said = {
        "type": "string",
        "title": "I",
        "description": "As a fraction",
        "x-description": {"zh-CN": "填小数"},
    }
    cells = [
        c
        for row in open_panel(with_item(said), "properties", "item", locale="zh-CN").section().rows
        for c in row
    ]
    hints = [(c.name, c.label, c.field.type.name) for c in cells if "description" in c.name]
    assert hints == [
        ("v-x-description/zh-CN", "提示（中文）", "multiline"),
        ("v-description", "提示（英文）", "multiline"),
    ]
    assert "Hint (Chinese)" in labels_in(open_panel(PAPER, "properties", "item"))


def test_what_is_named_in_the_reader_s_language_is_asked_for_first():
    def names(doc, locale):
        return [cell for row in open_panel(doc, locale=locale).section().rows for cell in row][:2]

    doc = {**PAPER, "x-title": {"zh-CN": "申请"}}
    english, chinese = names(doc, "en"), names(doc, "zh-CN")
    assert [(each.name, each.input) for each in english] == [
        ("v-title", "Request"),
        ("v-x-title/zh-CN", "申请"),
    ]
    assert [(each.name, each.input) for each in chinese] == [
        ("v-x-title/zh-CN", "申请"),
        ("v-title", "Request"),
    ]
    assert [each.label for each in chinese] == ["名称（中文）", "名称（英文）"]
    form = MultiDict({"v-x-title/zh-CN": "采购申请", "v-title": "Request"})
    operations, problems = read_section(open_panel(doc, locale="zh-CN"), form)
    changed = [(each.at, each.value) for each in operations if each.do == "set"]
    assert problems == {} and changed == [
        (("x-title",), {"zh-CN": "采购申请"})
    ]  # what is stored stays where it is
    assert [each.input for each in names(PAPER, "zh-CN")] == ["", "Request"]  # named in one language alone


def test_what_is_typed_under_a_language_is_kept_for_it_whoever_types(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    client = studio.client(studio.mei)

    def fill(locale: str, **said: str) -> tuple[str, dict | None]:
        data = {"revision": studio.desk().revision, "at": "", "keep": 1, **said}
        headers = {"Origin": "http://localhost", "HX-Request": "true", "Accept-Language": locale}
        assert client.post(f"/studio/{studio.id}/do/fill", data=data, headers=headers).status_code == 200
        return studio.desk().doc["title"], studio.desk().doc.get("x-title")

    chinese = "v-x-title/zh-CN"
    for locale in ("en", "zh-CN"):
        studio.edit(title="设备报修")
        cells = {
            c.name: c.input
            for row in open_panel(studio.desk().doc, locale=locale).section().rows
            for c in row
        }
        assert (cells["v-title"], cells[chinese]) == ("", "设备报修")
        said = fill(locale, **{"v-title": "Repair request", chinese: "设备报修"})
        assert said == ("Repair request", {"zh-CN": "设备报修"})
        assert fill(locale, **{chinese: "维修单"}) == ("Repair request", {"zh-CN": "维修单"})
        assert fill(locale, **{"v-title": ""}) == ("维修单", None)
        assert fill(locale, **{"v-title": "Repair", chinese: ""}) == ("Repair", None)
        assert fill(locale, **{"v-title": "", chinese: "CRM"}) == (
            "CRM",
            {"zh-CN": "CRM"},
        )  # stays where it is
        assert fill(locale, **{"v-title": "Customers", chinese: "CRM"}) == ("Customers", {"zh-CN": "CRM"})
        assert fill(locale, **{"v-title": "", chinese: "设备报修"}) == ("设备报修", None)
    fill("zh-CN", **{"v-description": "Who mends it", "v-x-description/zh-CN": "谁来修"})
    doc = studio.desk().doc
    assert (doc["description"], doc["x-description"]) == ("Who mends it", {"zh-CN": "谁来修"})
