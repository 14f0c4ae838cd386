"""Problems speak the reader's language, with the kinds of values inside them translated too."""

from pathlib import Path

import pytest

import formloop.core
from formloop.core import text
from formloop.core.expression import NUMBER, TEXT, check


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_chinese", {})
    text.load_catalogue(Path(formloop.core.__file__).with_name("zh_CN.po"))


def test_problem_in_chinese() -> None:
    _, (problem,) = check("amount > note", {"amount": NUMBER, "note": TEXT})
    assert problem.message.render("zh-CN") == "“amount”是数字，“note”是文本，不能比较。"


def test_unknown_name_in_chinese() -> None:
    _, (problem,) = check("数量 + 1", {"数量合计": NUMBER})
    assert problem.message.render("zh-CN") == "没有“数量”，您是否想用“数量合计”？"
