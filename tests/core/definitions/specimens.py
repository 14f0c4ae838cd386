"""Kinds made for these tests: a form, a workflow and a dataset as the examples write them."""

from typing import Any

from formloop.core.definitions import TRANSLATIONS, Doc, Kind, complete
from formloop.core.text import M

_FIELD: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["type"],
    "properties": {
        "type": {"enum": ["string", "number", "integer", "boolean", "array", "object"]},
        "format": {"type": "string"},
        "enum": {"type": "array", "title": "Options", "x-title": {"zh-CN": "选项"}},
        "minimum": {"type": "number"},
        "exclusiveMinimum": {"type": "number"},
        "maximum": {"type": "number"},
        "minItems": {"type": "integer"},
        "x-type": {"type": "string"},
        "x-serial": {"type": "string"},
        "x-scale": {"type": "integer", "minimum": 0, "maximum": 8},
        "title": {"type": "string", "title": "Label", "x-title": {"zh-CN": "标题"}},
        "x-title": TRANSLATIONS,
        "readOnly": {"type": "boolean", "title": "Read only", "x-title": {"zh-CN": "只读"}},
        "x-default": {"type": "string"},
        "x-relation": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "form": {"type": "string"},
                "where": {"type": "string"},
                "fill": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        },
        "x-formula": {"type": "string", "title": "Formula", "x-title": {"zh-CN": "公式"}},
        "x-visible": {"type": "string"},
        "x-required": {"type": "string"},
        "items": {"$ref": "#/$defs/row"},
    },
}

FORM = Kind(
    name="form",
    title=M("Form"),
    schema=complete(
        "form",
        {
            "properties": {
                "type": {"const": "object"},
                "required": {"type": "array", "items": {"type": "string"}, "title": "Required fields"},
                "properties": {"$ref": "#/$defs/fields", "title": "Fields", "x-title": {"zh-CN": "字段"}},
                "x-checks": {"type": "array", "items": {"$ref": "#/$defs/check"}, "title": "Checks"},
                "x-layout": {"type": "array", "title": "Layout"},
                "x-list": {
                    "type": "object",
                    "title": "List",
                    "additionalProperties": False,
                    "properties": {
                        "columns": {"type": "array", "title": "Columns", "items": {"type": "string"}},
                        "sort": {"type": "array", "items": {"type": "string"}},
                        "filters": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
            "$defs": {
                "field": _FIELD,
                "fields": {"type": "object", "additionalProperties": {"$ref": "#/$defs/field"}},
                "row": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "type": {"const": "object"},
                        "required": {"type": "array", "items": {"type": "string"}},
                        "properties": {
                            "$ref": "#/$defs/fields",
                            "title": "Fields",
                            "x-title": {"zh-CN": "字段"},
                        },
                    },
                },
                "check": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["id", "holds"],
                    "properties": {
                        "id": {"type": "string"},
                        "holds": {"type": "string"},
                        "at": {"type": "string"},
                        "says": {"type": "string"},
                        "x-says": TRANSLATIONS,
                    },
                },
            },
        },
    ),
)

_STEP: dict[str, Any] = {
    "type": "object",
    "required": ["id", "node"],
    "properties": {"id": {"type": "string"}, "node": {"type": "string"}, "title": {"type": "string"}},
    "oneOf": [
        {
            "additionalProperties": False,
            "properties": {
                "id": {},
                "node": {"const": "approval"},
                "title": {},
                "x-title": TRANSLATIONS,
                "who": {"type": "array"},
                "nobody": {"enum": ["pass", "stop"]},
                "mode": {"enum": ["any", "all", "in_turn"], "title": "Mode"},
                "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                "actions": {"type": "array"},
                "due": {"type": "object"},
            },
        },
        {
            "additionalProperties": False,
            "required": ["branches"],
            "properties": {
                "id": {},
                "node": {"const": "condition"},
                "branches": {"type": "array", "items": {"$ref": "#/$defs/branch"}},
            },
        },
        {"additionalProperties": False, "properties": {"id": {}, "node": {"const": "copy"}, "who": {}}},
        {"additionalProperties": False, "properties": {"id": {}, "node": {"const": "end"}, "state": {}}},
    ],
}

WORKFLOW = Kind(
    name="workflow",
    title=M("Workflow"),
    schema=complete(
        "workflow",
        {
            "properties": {
                "form": {"type": "string"},
                "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}, "title": "Steps"},
            },
            "$defs": {
                "step": _STEP,
                "branch": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "id": {"type": "string"},
                        "title": {"type": "string"},
                        "when": {"type": "string"},
                        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
                    },
                },
            },
        },
    ),
)


def order_form(**changes: Any) -> Doc:
    """A small order form."""
    return {
        "x-kind": "form",
        "x-id": "5f1c7a0e",
        "x-key": "sales_order",
        "title": "Sales order",
        "x-title": {"zh-CN": "销售订单"},
        "type": "object",
        "required": ["customer"],
        "properties": {
            "customer": {"type": "string", "title": "Customer", "x-title": {"zh-CN": "客户"}},
            "amount": {"type": "number", "title": "Amount", "x-title": {"zh-CN": "金额"}},
        },
        "x-checks": [{"id": "positive", "holds": "amount > 0"}, {"id": "named", "holds": "customer <> ''"}],
        "x-list": {"columns": ["customer", "amount"]},
        **changes,
    }
