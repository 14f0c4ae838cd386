"""What the command line says, in the language of the terminal."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

from formloop.core.errors import FormloopError, Invalid
from formloop.core.text import LOCALES, M, Message, load_catalogues

VARIABLES = ("FORMLOOP_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that says something counts


def read_locale(environment: Mapping[str, str]) -> str:
    """The language that the environment asks for; English unless it is Chinese."""
    said = next((value for name in VARIABLES if (value := environment.get(name))), "")
    return "zh-CN" if said.lower().startswith("zh") else LOCALES[0]


def locale() -> str:
    """The language of this terminal, its sentences loaded."""
    found = read_locale(os.environ)
    if found != LOCALES[0]:
        load_catalogues(Path(__file__).parent)
    return found


def tell(text: Message, err: bool = False) -> None:
    """Print a sentence in the language of the terminal."""
    click.echo(text.render(locale()), err=err)


def with_errors_told(work: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors for people into lines on the error output and exit code 1."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return work(*args, **kwargs)
        except Invalid as error:
            for problem in error.problems:
                place = f"{problem.at}: " if problem.at else ""
                line = M("line {line}", line=problem.line).render(locale()) + ": " if problem.line else ""
                click.echo(f"{line}{place}{problem.message.render(locale())}", err=True)
            sys.exit(1)
        except FormloopError as error:
            tell(error.message, err=True)
            sys.exit(1)

    return run
