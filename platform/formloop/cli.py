"""The command line: `formloop COMMAND`. The exit code is 0 only when all went well."""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from formloop.core.errors import Invalid
from formloop.core.text import LOCALES, M
from formloop.settings import read_settings
from formloop.supervising import end_with_parent
from formloop.terminal import locale as terminal_locale
from formloop.terminal import tell, with_errors_told
from formloop.web.tracing import start_logging


@click.group()
def main() -> None:
    """Formloop: forms, approvals, bridges and packs for small manufacturers."""


def with_site(work: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the site's application, its errors told."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> Any:
        from formloop.app import create_app  # only commands that need the site pay for loading it

        start_logging(logging.WARNING)
        with create_app(read_settings()).app_context():
            return work(*args, **kwargs)

    return with_errors_told(run)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--processes", default=2, show_default=True, help="Web processes.")
@click.option("--threads", default=4, show_default=True)
@click.option("--no-worker", is_flag=True, help="Start the worker yourself: formloop worker.")
@with_errors_told
def serve(host: str, port: int, processes: int, threads: int, no_worker: bool) -> None:
    """Serve the site: web processes, the queue server and a worker."""
    from formloop.serving import serve as run

    run(read_settings(), host, port, processes, threads, with_worker=not no_worker)


@main.command(hidden=True)
@click.option("--host", required=True)
@click.option("--port", required=True, type=int)
@click.option("--processes", required=True, type=int)
@click.option("--threads", required=True, type=int)
@with_errors_told
def web(host: str, port: int, processes: int, threads: int) -> None:
    """Be the web process that `serve` keeps running."""
    from formloop import webserver

    end_with_parent()
    webserver.run(read_settings(), host, port, processes, threads)


@main.command()
@click.option("--burst", is_flag=True, help="Deliver what is due, then stop.")
@click.option("--kept", is_flag=True, hidden=True)  # by `serve`, with which it ends
@with_site
def worker(burst: bool, kept: bool) -> None:
    """Deliver messages and run what is due."""
    from formloop.events import queue

    if kept:
        end_with_parent()
    queue.work(read_settings(), burst)


@main.command()
@click.option("--if-needed", is_flag=True, help="Do nothing when the demo is there already.")
@click.option("--without-story", is_flag=True, help="Leave out the documents of the demo's last month.")
def demo(if_needed: bool, without_story: bool) -> None:
    """Fill this site with the demo: personas, packs, sample data and a month of trade."""
    from formloop.packs import demonstration

    demonstration.prepare(read_settings())
    if with_site(demonstration.fill)(if_needed) and not without_story:
        with_site(demonstration.play)()


@main.command("import")
@click.argument("form")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", type=click.Path(exists=True, path_type=Path), help="Columns and fields, as JSON.")
@click.option("--lines", type=click.Path(exists=True, path_type=Path), help="A second file with the lines.")
@click.option("--update-by", help="The field by which records that exist are found and changed.")
@click.option("--owner", metavar="ACCOUNT", default="", help="Whose new records are; nobody's unless said.")
@with_site
def import_file(
    form: str, file: Path, mapping: Path | None, lines: Path | None, update_by: str | None, owner: str
) -> None:
    """Import FILE (Excel or CSV) into FORM."""
    from formloop.forms import importing

    result = importing.import_file(
        form, file, mapping, update_by, lines, locale=terminal_locale(), owner=owner
    )
    tell(result.summary())
    if result.twice:
        tell(M("{count} rows were the same as one above to the last cell.", count=result.twice))
    if result.counts.get("created") and not result.owned:
        tell(M("The new records have no owner: whoever may see only their own does not see them (--owner)."))
    for problem in result.problems[:100]:
        click.echo(problem, err=True)
    sys.exit(1 if result.problems else 0)


@main.command("export")
@click.argument("form")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--locale", type=click.Choice(LOCALES), help="The terminal's unless said.")
@with_site
def export_file(form: str, file: Path, locale: str | None) -> None:
    """Export FORM into FILE (.xlsx or .csv)."""
    from formloop.forms import exporting

    locale = locale or terminal_locale()
    count = exporting.export_file(form, file, locale=locale)
    tell(M("{count} {count:record|records} in {file}", count=count, file=file))
    missing = exporting.not_in_file(form, file, locale)
    if missing:
        text = M("Not in a CSV file: {names}. Export .xlsx to have them.", names=", ".join(missing))
        tell(text, err=True)


@main.group()
def user() -> None:
    """Add people and let them in: also when nobody can sign in to do it in the browser."""


@user.command("add")
@click.argument("account")
@click.argument("name")
@click.option("--administrator", is_flag=True)
@click.option("--role", "roles", multiple=True, help="The key of a role; may be given several times.")
@click.option("--department", help="The key of a department.")
@with_site
def user_add(
    account: str, name: str, administrator: bool, roles: tuple[str, ...], department: str | None
) -> None:
    """Add a person and print the link by which they choose a password."""
    from formloop.access import commands

    person = commands.add(account, name, administrator, roles, department)
    tell(M("{account} added. {link}", account=account, link=commands.make_link(person, read_settings())))


@user.command("list")
@with_site
def user_list() -> None:
    """Print everybody: account, name, whether active, roles."""
    from formloop.access import commands

    for line in commands.list_lines(terminal_locale()):
        click.echo(line)


@user.command("deactivate")
@click.argument("account")
@with_site
def user_deactivate(account: str) -> None:
    """Keep a person out, from their next request on."""
    from formloop.access import commands

    commands.deactivate(account)
    tell(M("{account} cannot sign in any more", account=account))


@user.command("link")
@click.argument("account")
@with_site
def user_link(account: str) -> None:
    """Print a link by which a person chooses a new password, once, within 48 hours."""
    from formloop.access import commands

    click.echo(commands.make_link(commands.get_by_account(account).id, read_settings()))


@user.command("password")
@click.argument("account")
@click.password_option()
@with_site
def user_password(account: str, password: str) -> None:
    """Set a person's password; asks for it, or reads --password."""
    from formloop.access import commands

    commands.set_password(account, password)
    tell(M("The password of {account} is set; their sessions are ended", account=account))


@main.group()
def pack() -> None:
    """Install, check and export packs."""


@pack.command("install")
@click.argument("source")
@click.option("--no-samples", is_flag=True, help="Without sample data.")
@with_site
def pack_install(source: str, no_samples: bool) -> None:
    """Install a shipped pack by its key, or a pack from a folder or a zip."""
    from formloop.access.actor import SYSTEM
    from formloop.packs import service

    found = service.install(SYSTEM, _pack(source), with_samples=not no_samples)
    new = sum(each.new for each in found)
    tell(M("{count} definitions published, {total} in all", count=new, total=len(found)))


@pack.command("export")
@click.argument("app")
@click.argument("target", type=click.Path(path_type=Path))
@with_site
def pack_export(app: str, target: Path) -> None:
    """Export the published definitions of APP to the folder or zip TARGET."""
    from formloop.access.actor import SYSTEM
    from formloop.packs import bound, service, unseen

    files = service.export(SYSTEM, app)
    if target.suffix == ".zip":
        target.write_bytes(service.zipped(files))
    else:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (target / name).write_text(text, "utf-8")
    tell(M("{count} files in {target}", count=len(files), target=target))
    docs, locale = service.documents_of(app), terminal_locale()
    for each in bound.list_bound(docs):
        tell(M("Only this site can read: {what}", what=each.said(locale)))
    for left in unseen.list_behind(docs):
        tell(M("Rights that are not in the pack: {what}", what=left.said(locale)))


@pack.command("check")
@click.argument("source")
@with_site
def pack_check(source: str) -> None:
    """Say what is wrong with a pack, without installing it."""
    from formloop.access.actor import SYSTEM
    from formloop.packs import service

    problems = service.check(SYSTEM, _pack(source))
    if problems:
        raise Invalid(problems)
    tell(M("Everything is fine."))


@pack.command("diff")
@click.argument("app")
@click.argument("source")
@with_site
def pack_diff(app: str, source: str) -> None:
    """Say how APP on this site differs from a pack; exit code 1 when it does."""
    from formloop.access.actor import SYSTEM
    from formloop.packs import differing

    found = differing.compare(SYSTEM, app, _pack(source))
    for each in found:
        for sentence in each.sentences(terminal_locale()):
            click.echo(f"{each.file}: {sentence}")
    if found:
        raise SystemExit(1)
    tell(M("There is no difference."))


def _pack(source: str) -> Any:
    from formloop.packs import reading, service

    path = Path(source)
    if path.is_dir():
        return reading.read_folder(path)
    return reading.read_zip(path.read_bytes()) if path.is_file() else service.get_pack(source)


@main.group()
def scenario() -> None:
    """Play the stories of packs."""


@scenario.command("play")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@with_site
def scenario_play(file: Path) -> None:
    """Play the scenario in FILE on this site; what it saves stays."""
    from formloop.packs import scenario as scenarios

    problems = scenarios.play(scenarios.read(file), click.echo)
    tell(M("What the story made stays in this site; play it on a copy to keep your data clean."))
    if problems:
        raise Invalid(problems)


@main.command()
@click.argument("part", type=click.Choice(["site", "ledgers"]), default="site")
@with_site
def doctor(part: str) -> None:
    """Say what is missing on this machine or wrong with this site; or make all balances again and compare them."""
    if part == "ledgers":
        from formloop.ledgers.verifying import verify

        wrong = verify()
        for each in wrong:
            tell(M("BAD  {what}", what=each))
        if not wrong:
            tell(M("Everything that is kept beside the entries agrees with them."))
        sys.exit(1 if wrong else 0)
    from formloop import doctor as examination

    ill = False
    for finding in examination.examine(read_settings()):
        ill = ill or (finding.needed and not finding.fine)
        sign = M("ok  ") if finding.fine else M("BAD ") if finding.needed else M("note")
        if finding.fine or not finding.advice:
            tell(M("{sign} {what}", sign=sign, what=finding.what))
        else:
            tell(M("{sign} {what} - {advice}", sign=sign, what=finding.what, advice=finding.advice))
    sys.exit(1 if ill else 0)


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
@with_site
def backup(target: Path) -> None:
    """Write database and files to the archive TARGET (.tar.gz) while the site goes on working."""
    from formloop import backups

    size = backups.backup(read_settings(), target)
    tell(M("{count} bytes in {target}", count=size, target=target))


@main.command()
@click.argument("archive", type=click.Path(exists=True, path_type=Path))
def restore(archive: Path) -> None:
    """Bring ARCHIVE back into a new, empty place (FORMLOOP_INSTANCE, FORMLOOP_DATABASE_URL)."""
    from formloop import backups

    with_errors_told(backups.restore)(archive, read_settings())
    text = M("Restored. Messages that were under way wait in the repair desk.")
    with_site(lambda: tell(text))()


@main.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
def bench(name: str, as_json: bool) -> None:
    """Measure NAME and print it beside the same work done by hand."""
    from formloop import measuring

    measuring.show(measuring.bench(name), as_json)


@main.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
@click.option("--seed", default=1, show_default=True)
def proof(name: str, as_json: bool, seed: int) -> None:
    """Try to break what NAME promises; exit code 1 when it breaks."""
    from formloop import measuring

    start_logging(logging.WARNING)
    found = measuring.prove(name, seed)
    measuring.show(found, as_json)
    sys.exit(0 if found["ok"] else 1)


if __name__ == "__main__":
    main()
