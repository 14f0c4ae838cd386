"""Writes the reference of the language from what runs, so that it cannot be out of date."""

import sys
from itertools import groupby
from pathlib import Path

from formloop.core.expression.functions import FUNCTIONS, Function

_TITLES = {
    "logic": "Logic · 逻辑",
    "number": "Numbers · 数字",
    "text": "Texts · 文本",
    "date": "Dates · 日期",
    "aggregate": "Many to one · 汇总",
    "lookup": "Lists · 列表",
    "people": "The person · 人员",
}


def reference() -> str:
    """The whole page: the language as written down beside this file, then every function."""
    parts = [Path(__file__).with_name("language.md").read_text(encoding="utf-8").rstrip()]
    for group, functions in groupby(FUNCTIONS.values(), lambda f: f.group):
        parts += [f"## {_TITLES[group]}", "\n\n".join(map(_entry, functions))]
    return "\n\n".join(parts) + "\n"


def _entry(function: Function) -> str:
    filters = "" if function.sql or function.form else " Not in filters. 不能用于筛选。"
    return (
        f"### {function.name}\n`{function.signature}`\n\n{function.says}{filters}  \n{function.says_chinese}\n\n"
        f"`{function.example}` → `{function.result}`"
    )


if __name__ == "__main__":  # python -m formloop.core.expression.reference docs/reference/expressions.md
    Path(sys.argv[1]).write_text(reference(), encoding="utf-8")
