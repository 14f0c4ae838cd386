"""What records ask to be entered: the sheets of a posting, with whatever the records point to."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from formloop.access.actor import SYSTEM, Actor
from formloop.core.expression import Path
from formloop.forms.kind import get_form
from formloop.forms.links import Links
from formloop.forms.names import context_of
from formloop.forms.spec import Values
from formloop.ledgers import engine
from formloop.ledgers.beyond import Beyond
from formloop.ledgers.engine import Sheet
from formloop.ledgers.kind import get_ledger
from formloop.ledgers.scopes import settings_of
from formloop.ledgers.spec import LedgerSpec, PostingSpec


class Seen:
    """Records as the postings of their forms see them: what all of these read of other records is fetched once."""

    def __init__(self, postings: Sequence[PostingSpec], records: Sequence[tuple[str, Values]]) -> None:
        self._records = records
        self._reads = _reads_of(tuple(postings))
        self._ways = {(way, posting.form) for posting in postings for way in posting.ways}
        self._links: dict[str, Links] = {}
        self._beyond: dict[str, Beyond] = {}
        self._known: dict[tuple[str, int], Values] = {}

    def env(self, form: str, record: Values) -> Values:
        """One record with what it points to."""
        mark = (form, record["id"])
        if mark not in self._known:
            spec = get_form(form)
            if form not in self._links:
                mine = [each for of, each in self._records if of == form]
                ways = [way for way, of in self._ways if of == form]
                self._links[form] = Links(SYSTEM, spec, mine, reads=self._reads[form])
                self._beyond[form] = Beyond(spec, mine, ways, self._reads[form])
            env = self._links[form].environment(spec, record)
            self._known[mark] = env | self._beyond[form].of(env)
        return self._known[mark]


@lru_cache(maxsize=500)
def _reads_of(postings: tuple[PostingSpec, ...]) -> Mapping[str, frozenset[Path]]:
    found: dict[str, frozenset[Path]] = {}
    for posting in postings:
        found[posting.form] = found.get(posting.form, frozenset()) | posting.reads
    return found


def draft_sheets(posting: PostingSpec, actor: Actor, records: Sequence[Values], seen: Seen) -> list[Sheet]:
    """What records ask to be entered; a record to which the posting does not apply asks for nothing."""
    context, ledgers = context_of(actor), dict[str, LedgerSpec]()
    sheets = [Sheet(posting, seen.env(posting.form, each), context, context.today) for each in records]
    for sheet in sheets:
        env = sheet.env
        if posting.when is not None and posting.when.evaluate(env, context) is not True:
            continue
        if posting.date is not None:
            day = posting.date.evaluate({**env, "record": env}, context)
            sheet.day = context.local(day).date() if hasattr(day, "hour") else day or context.today
        sheet.settings = settings_of(posting)
        ledgers = ledgers or {key: get_ledger(key) for key in posting.ledgers}
        engine.draft(sheet, ledgers)
    return sheets
