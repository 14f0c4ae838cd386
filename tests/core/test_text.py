"""Sentences: their places, and the word that goes with one or with several."""

import pytest

from formloop.core.text import M, localized


@pytest.mark.parametrize(("count", "said"), [(1, "1 task waits"), (0, "0 tasks wait"), (3, "3 tasks wait")])
def test_a_word_goes_with_the_count_before_it(count, said):
    assert (
        M("{count} {count:task waits|tasks wait} for {name}.", count=count, name="{A|B}").render()
        == f"{said} for {{A|B}}."
    )


def test_a_bar_in_a_value_means_nothing():
    assert M("“{name}” is here.", name="a|b {c}").render() == "“a|b {c}” is here."


def test_an_empty_translation_falls_back_to_the_english() -> None:
    assert localized({"title": "Raw", "x-title": {"zh-CN": ""}}, "title", "zh-CN") == "Raw"
