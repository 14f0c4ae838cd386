"""The command line speaks the language of the terminal."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from formloop.cli import main
from formloop.terminal import read_locale


@pytest.mark.parametrize(
    ("environment", "locale"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"FORMLOOP_LANG": "zh", "LC_ALL": "C"}, "zh-CN"),
        ({"FORMLOOP_LANG": "en", "LANG": "zh_TW"}, "en"),
    ],
)
def test_the_first_variable_that_says_something_counts(environment: dict[str, str], locale: str) -> None:
    assert read_locale(environment) == locale


def test_what_a_command_refuses_is_said_in_both_languages(tmp_path: Path) -> None:
    said = {}
    for lang in ("en", "zh"):
        environment = {"FORMLOOP_INSTANCE": str(tmp_path / lang), "FORMLOOP_LANG": lang}
        done = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0"], env=environment)
        assert done.exit_code == 1
        said[lang] = done.output
    assert "before listening beyond this machine" in said["en"]
    assert "对本机以外监听之前" in said["zh"]


def test_what_a_command_tells_is_said_in_chinese(tmp_path: Path) -> None:
    environment = {"FORMLOOP_INSTANCE": str(tmp_path), "FORMLOOP_LANG": "zh"}
    done = CliRunner().invoke(main, ["pack", "check", "master_data"], env=environment)
    assert done.output.strip().endswith("一切正常。")
