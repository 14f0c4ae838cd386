"""The command line: `formloop COMMAND`. The exit code is 0 only when all went well."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from formloop.core.errors import FormloopError, Invalid
from formloop.settings import read_settings

LOCALE = "en"


@click.group()
def main() -> None:
    """Formloop: forms, approvals, bridges and packs for small manufacturers."""


def with_site(work: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the site's application; errors for people become one line and exit code 1."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> Any:
        from formloop.app import create_app  # only commands that need the site pay for loading it

        try:
            with create_app(read_settings()).app_context():
                return work(*args, **kwargs)
        except Invalid as error:
            for problem in error.problems:
                place = f"{problem.at}: " if problem.at else ""
                line = f"line {problem.line}: " if problem.line else ""
                click.echo(f"{line}{place}{problem.message.render(LOCALE)}", err=True)
            sys.exit(1)
        except FormloopError as error:
            click.echo(error.message.render(LOCALE), err=True)
            sys.exit(1)

    return run


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--processes", default=None, type=int, help="Web processes; 1 on SQLite, 2 on PostgreSQL.")
@click.option("--threads", default=4, show_default=True)
@click.option("--no-worker", is_flag=True, help="Start the worker yourself: formloop worker.")
def serve(host: str, port: int, processes: int | None, threads: int, no_worker: bool) -> None:
    """Serve the site: web processes, the queue server and a worker."""
    from formloop.serving import serve as run

    run(read_settings(), host, port, processes, threads, with_worker=not no_worker)


@main.command()
@click.option("--burst", is_flag=True, help="Deliver what is due, then stop.")
@with_site
def worker(burst: bool) -> None:
    """Deliver messages and run what is due."""
    from formloop.events import queue

    queue.work(read_settings(), burst)


@main.command()
@click.option("--if-needed", is_flag=True, help="Do nothing when the demo is there already.")
def demo(if_needed: bool) -> None:
    """Fill this site with the demo: personas, packs and sample data."""
    from formloop.packs import demonstration

    demonstration.prepare(read_settings())
    with_site(demonstration.fill)(if_needed)


@main.command("import")
@click.argument("form")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, path_type=Path))
@click.option("--update-by", help="The field by which records that exist are found and changed.")
@with_site
def import_file(form: str, file: Path, mapping: Path | None, update_by: str | None) -> None:
    """Import FILE (Excel or CSV) into FORM."""
    from formloop.forms import importing

    result = importing.import_file(form, file, mapping, update_by)
    click.echo(result.summary())
    for problem in result.problems[:100]:
        click.echo(problem, err=True)
    sys.exit(1 if result.problems else 0)


if __name__ == "__main__":
    main()
