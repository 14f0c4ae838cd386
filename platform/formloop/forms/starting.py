"""A first form from the labels somebody typed, one a line: "Quantity *: number"."""

import re
from collections.abc import Mapping
from typing import Any

from formloop.core.definitions import Doc, suggest
from formloop.core.errors import Problem
from formloop.core.keys import suggest_key
from formloop.core.text import M

_TEXT: Mapping[str, Any] = {"type": "string"}
_CHOICE: Mapping[str, Any] = {"type": "string", "x-type": "dropdown"}
_FILES: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}
STARTS: Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {
    "text": (("文本", "单行文本"), _TEXT),
    "long text": (("多行文本", "multiline"), {**_TEXT, "x-type": "multiline"}),
    "number": (("数字", "数值"), {"type": "number"}),
    "amount": (("金额", "money"), {"type": "number", "x-type": "amount"}),
    "date": (("日期",), {**_TEXT, "format": "date"}),
    "time": (("时间", "date-time", "datetime", "日期时间"), {**_TEXT, "format": "date-time"}),
    "switch": (("开关", "yes/no", "是否"), {"type": "boolean"}),
    "choice": (("选项", "下拉", "dropdown", "单选"), _CHOICE),
    "e-mail": (("邮箱", "email"), {**_TEXT, "format": "email"}),
    "phone": (("电话", "手机"), {**_TEXT, "format": "phone"}),
    "link": (("链接", "网址"), {**_TEXT, "format": "uri"}),
    "file": (("附件", "文件", "attachment"), {**_FILES, "x-type": "attachment"}),
    "picture": (("图片", "照片", "image"), {**_FILES, "x-type": "image"}),
    "member": (("成员", "人员", "person"), {"type": "integer", "x-type": "member"}),
    "department": (("部门",), {"type": "integer", "x-type": "department"}),
    "serial number": (
        ("流水号", "编号", "serial"),
        {**_TEXT, "x-type": "serial", "x-serial": "{yyyy}{MM}-{0001}"},
    ),
}
_BY_WORD = {word: name for name, (others, _) in STARTS.items() for word in (name, *others)}
_SEPARATOR = re.compile(r"\s*[,，、/;；]\s*")


_WIDE = ("multiline", "rich_text", "address", "location", "signature", "query")


def from_labels(doc: Doc, lines: list[str]) -> tuple[Doc, list[Problem]]:
    """`doc` with a field for each line: a label, * if it must be filled in, and perhaps a type after a colon."""
    fields, required, problems = dict[str, Any](), list[str](), list[Problem]()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        label, _, wish = line.replace("：", ":").partition(":")
        plain = label.strip().rstrip("*＊").strip()
        schema, problem = _schema(wish.strip(), number)
        if not plain:
            problem = Problem("required", "", M("A label is missing before the colon."), number, 1)
        if problem is not None:
            problems.append(problem)
            continue
        key = suggest_key(plain, fields)
        fields[key] = {**schema, "title": plain[:200]}
        if label.strip().endswith(("*", "＊")):
            required.append(key)
    made: Doc = {**doc, "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
    return {**made, "required": required, "properties": fields, "x-layout": in_pairs(fields)}, problems


def in_pairs(fields: Mapping[str, Any]) -> list[list[str]]:
    """A layout: short fields two a row; what needs room has a row of its own."""
    rows: list[list[str]] = []
    open_row = False
    for key, schema in fields.items():
        wide = schema.get("x-type") in _WIDE or schema.get("type") == "array"
        if open_row and not wide:
            rows[-1].append(key)
        else:
            rows.append([key])
        open_row = not wide and not open_row
    return rows


def _schema(wish: str, number: int) -> tuple[dict[str, Any], Problem | None]:
    """The schema of the type that was wished for; a line of text where nothing is said."""
    if not wish:
        return dict(_TEXT), None
    word, options = _split(wish)
    name = _BY_WORD.get(word)
    if name is None:
        near = suggest(word, list(_BY_WORD))
        known = ", ".join(f"{each} {others[0]}" for each, (others, _) in STARTS.items())
        told = (
            M("There is no type “{word}”. {near}", word=word, near=near)
            if near
            else M("There is no type “{word}”. Known are: {known}.", word=word, known=known)
        )
        return {}, Problem("unknown_type", "", told, number, 1)
    if name != "choice":
        return dict(STARTS[name][1]), None
    if not options:
        message = M("Name the options after the word: choice low, normal, high.")
        return {}, Problem("options", "", message, number, 1)
    return {**_CHOICE, "enum": options}, None


def _split(wish: str) -> tuple[str, list[str]]:
    """The word of the type and, after it, options."""
    lower = wish.lower()
    for word in sorted(_BY_WORD, key=len, reverse=True):
        if lower == word or lower.startswith((word + " ", word + "(", word + "（")):
            rest = wish[len(word) :].strip(" ()（）")
            return word, list(dict.fromkeys(each for each in _SEPARATOR.split(rest) if each))
    return lower, []
