"""The kinds of places a dataset takes rows from, one a file."""

from formloop.core.registry import Registry
from formloop.datasets.sources.dataset import FromDataset
from formloop.datasets.sources.form import FromForm
from formloop.datasets.sources.ledger import FromLedger
from formloop.datasets.sources.period import FromPeriod
from formloop.datasets.spec import SourceKind

sources: Registry[SourceKind] = Registry("kind of source")
for each in (FromForm(), FromLedger(), FromPeriod(), FromDataset()):
    sources.add(each.name, each)

__all__ = ["sources"]
