"""The keys every definition has, whatever its kind."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEY_PATTERN = "^[a-z][a-z0-9_]{0,40}$"
ID_PATTERN = "^[0-9a-f]{8}$"
TRANSLATIONS: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "zh-CN": {"type": "string", "maxLength": 2000, "title": "Chinese", "x-title": {"zh-CN": "中文"}}
    },
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def complete(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A kind's schema with the common keys in front of its own; closed unless it says otherwise.

    A key the schema itself declares stays as declared.
    """
    common: dict[str, Any] = {
        "$schema": {"const": _DIALECT},
        "x-kind": {"const": name, "title": "Kind", "x-title": {"zh-CN": "类型"}},
        "x-format": {"type": "integer", "minimum": 1, "title": "Format", "x-title": {"zh-CN": "格式"}},
        "x-id": {
            "type": "string",
            "pattern": ID_PATTERN,
            "title": "Stable id",
            "x-title": {"zh-CN": "固定标识"},
        },
        "x-key": {"type": "string", "pattern": KEY_PATTERN, "title": "Key", "x-title": {"zh-CN": "代号"}},
        "title": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "title": "Name",
            "x-title": {"zh-CN": "名称"},
        },
        "x-title": {**TRANSLATIONS, "title": "Translated name", "x-title": {"zh-CN": "名称翻译"}},
        "description": {
            "type": "string",
            "maxLength": 4000,
            "title": "Description",
            "x-title": {"zh-CN": "说明"},
        },
        "x-description": {
            **TRANSLATIONS,
            "title": "Translated description",
            "x-title": {"zh-CN": "说明翻译"},
        },
    }
    own = dict(schema.get("properties", {}))
    required = ["x-kind", "x-id", "x-key", "title", *schema.get("required", ())]
    return {
        "additionalProperties": False,
        **schema,
        "type": "object",
        "required": list(dict.fromkeys(required)),
        "properties": {**{key: own.pop(key, said) for key, said in common.items()}, **own},
    }


def load_schema(name: str, path: Path) -> dict[str, Any]:
    """The schema of a kind from its room's `schema.json`, completed with the common keys."""
    return complete(name, json.loads(path.read_text("utf-8")))
