"""Every function does what its own example promises."""

import pytest

from formloop.core.expression import FUNCTIONS, Context, parse
from formloop.core.expression.functions import Function
from formloop.core.expression.values import as_text


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda f: f.name)
def test_example_gives_the_promised_result(function: Function, context: Context) -> None:
    assert as_text(parse(function.example, {}).evaluate({}, context)) == function.result


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=lambda f: f.name)
def test_function_is_described_in_both_languages(function: Function) -> None:
    assert function.says.endswith(".")
    assert function.says_chinese.endswith("。")


def test_there_are_at_least_sixty_functions() -> None:
    assert len(FUNCTIONS) >= 60
