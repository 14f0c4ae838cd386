"""A form with every field type, in the record and in its lines, and the forms it looks into."""

from typing import Any

from formloop.access.actor import SYSTEM
from formloop.definitions import service as definitions


def _field(title: str, chinese: str, **words: Any) -> dict[str, Any]:
    words = {key.replace("x_", "x-"): value for key, value in words.items()}
    return {"title": title, "x-title": {"zh-CN": chinese}, **words}


PARTNER: dict[str, Any] = {
    "x-kind": "form",
    "x-id": "0000a001",
    "x-key": "partner",
    "title": "Partner",
    "x-title": {"zh-CN": "伙伴"},
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _field("Name", "名称", type="string"),
        "code": _field("Code", "编码", type="string", x_unique=True),
        "region": _field("Region", "区域", type="string"),
        "level": _field("Level", "等级", type="string", enum=["A", "B"]),
    },
    "x-list": {"title": "name", "columns": ["name", "code", "region"]},
}
RATE: dict[str, Any] = {
    "x-kind": "form",
    "x-id": "0000a002",
    "x-key": "rate",
    "title": "Rate",
    "x-title": {"zh-CN": "价目"},
    "type": "object",
    "required": ["partner", "price"],
    "properties": {
        "partner": _field(
            "Partner", "伙伴", type="integer", **{"x-type": "relation"}, x_relation={"form": "partner"}
        ),
        "price": _field("Price", "价格", type="number", **{"x-type": "amount"}),
        "secret": _field("Secret", "机密", type="string"),
    },
}
_OPTIONS = {
    "red": {"title": "Red", "x-title": {"zh-CN": "红"}},
    "blue": {"title": "Blue", "x-title": {"zh-CN": "蓝"}},
}


def schemas() -> dict[str, dict[str, Any]]:
    """One property for every field type, by the type's name."""
    text = {"type": "string"}
    chosen = {"enum": ["red", "blue", "green"], "x-titles": _OPTIONS}
    several = {
        "type": "array",
        "items": {"type": "string", "enum": ["red", "blue", "green"]},
        "x-titles": _OPTIONS,
    }
    return {
        "text": _field("Text", "文本", **text, x_scan=True),
        "multiline": _field("Several lines", "多行文本", **text, **{"x-type": "multiline"}),
        "rich_text": _field("Rich text", "富文本", **text, **{"x-type": "rich_text"}),
        "number": _field("Number", "数字", type="number", x_unit="kg"),
        "amount": _field(
            "Amount", "金额", type="number", **{"x-type": "amount"}, x_currency="CNY", x_capital=True
        ),
        "datetime": _field("Moment", "时间", **text, format="date-time"),
        "radio": _field("Radio", "单选", **text, **{"x-type": "radio"}, **chosen),
        "checkbox_group": _field("Check boxes", "复选框组", **several, **{"x-type": "checkbox_group"}),
        "dropdown": _field("Dropdown", "下拉", **text, **chosen),
        "multi_select": _field("Multi-select", "下拉多选", **several),
        "switch": _field("Switch", "开关", type="boolean"),
        "cascade": _field(
            "Cascade",
            "级联",
            **text,
            **{"x-type": "cascade"},
            x_tree=[["Zhejiang", "Ningbo"], ["Zhejiang", "Hangzhou"], ["Jiangsu", "Suzhou"]],
        ),
        "contact": _field("E-mail", "邮箱", **text, format="email"),
        "address": _field("Address", "地址", type="object", **{"x-type": "address"}),
        "location": _field("Location", "定位", type="object", **{"x-type": "location"}),
        "image": _field("Image", "图片", type="array", items={"type": "string"}, **{"x-type": "image"}),
        "attachment": _field(
            "Attachment", "附件", type="array", items={"type": "string"}, **{"x-type": "attachment"}
        ),
        "signature": _field(
            "Signature", "签名", type="array", items={"type": "string"}, **{"x-type": "signature"}
        ),
        "member": _field("Member", "成员", type="integer", **{"x-type": "member"}),
        "department": _field("Department", "部门", type="integer", **{"x-type": "department"}),
        "serial": _field(
            "Serial number", "流水号", **text, **{"x-type": "serial"}, x_serial="E{yyyy}-{0001}"
        ),
        "relation": _field(
            "Partner",
            "伙伴",
            type="integer",
            **{"x-type": "relation"},
            x_relation={"form": "partner", "show": ["code", "region"]},
        ),
        "calculation": _field(
            "Calculation", "公式", type="number", **{"x-type": "calculation"}, x_formula="number * 2"
        ),
    }


def key_of(type_name: str) -> str:
    """The key of the type's field; `department` is a column of every form already."""
    return "team" if type_name == "department" else type_name


def everything() -> dict[str, Any]:
    """The form: all 25 types, and the settings that change a type's values."""
    own = {key_of(name): schema for name, schema in schemas().items()}
    lines = {k: v for k, v in own.items() if k not in ("serial", "calculation")}
    lines = dict(lines)
    lines["rate"] = _field(
        "Rate",
        "价格",
        type="number",
        **{"x-type": "amount"},
        x_linkage={"form": "rate", "where": "partner = this.relation", "value": "price"},
    )
    own["members"] = _field(
        "Members",
        "多个成员",
        type="array",
        items={"type": "integer"},
        **{"x-type": "member"},
        x_multiple=True,
    )
    own["region"] = _field(
        "Region",
        "区域选项",
        type="string",
        enum=None,
        x_options={"form": "partner", "field": "region"},
        **{"x-type": "dropdown"},
    )
    del own["region"]["enum"]
    own["query"] = _field(
        "Rates of the partner",
        "伙伴价目",
        type="string",
        **{"x-type": "query"},
        x_query={"form": "rate", "where": "partner = this.relation", "columns": ["partner", "price"]},
    )
    own["rate"] = _field(
        "Rate",
        "价格",
        type="number",
        **{"x-type": "amount"},
        x_linkage={"form": "rate", "where": "partner = this.relation", "value": "price"},
    )
    own["subform"] = _field(
        "Lines", "明细", type="array", **{"x-type": "subform"}, items={"type": "object", "properties": lines}
    )
    return {
        "x-kind": "form",
        "x-id": "0000a003",
        "x-key": "everything",
        "title": "Everything",
        "x-title": {"zh-CN": "全部字段"},
        "type": "object",
        "properties": own,
        "x-list": {"title": "serial", "columns": [k for k in own if k not in ("query", "subform")]},
    }


def publish_all() -> None:
    """Publish the three forms."""
    definitions.publish_many(SYSTEM, [PARTNER, RATE, everything()], "specimens")
