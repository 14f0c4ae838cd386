"""What happens where the work of a step fails, as its definition says it."""

from collections.abc import Mapping
from typing import Any

FAILED: Mapping[str, Any] = {
    "enum": ["stop", "pass"],
    "x-titles": {
        "stop": {"title": "An administrator is asked", "x-title": {"zh-CN": "转管理员处理"}},
        "pass": {"title": "It goes on", "x-title": {"zh-CN": "继续流转"}},
    },
    "default": "stop",
    "title": "When it fails",
    "x-title": {"zh-CN": "失败时"},
}
