"""Definitions as documents: their kinds, canonical text, checks, differences and merges.

Knows no database and no particular kind; rooms add theirs to `kinds`.
"""

from formloop.core.definitions.differences import Change, Label, diff, fields_in, say_place
from formloop.core.definitions.envelope import ID_PATTERN, KEY_PATTERN, TRANSLATIONS, complete, load_schema
from formloop.core.definitions.faults import check_schema_of, name_pattern, suggest, with_suggestion
from formloop.core.definitions.json_schema import check_json_schema, expand, record_validator
from formloop.core.definitions.kind import Ahead, Doc, ImpactRow, Kind, Library, Reference, kinds
from formloop.core.definitions.merging import ConflictAt, Merge, merge
from formloop.core.definitions.parsing import Parsed, check_depth, parse
from formloop.core.definitions.parts import ABSENT, Path
from formloop.core.definitions.reading import find_kind, read, upgrade
from formloop.core.definitions.shape import Shape
from formloop.core.definitions.writing import canonical, write

__all__ = [
    "ABSENT",
    "ID_PATTERN",
    "KEY_PATTERN",
    "TRANSLATIONS",
    "Ahead",
    "Change",
    "ConflictAt",
    "Doc",
    "ImpactRow",
    "Kind",
    "Label",
    "Library",
    "Merge",
    "Parsed",
    "Path",
    "Reference",
    "Shape",
    "canonical",
    "check_depth",
    "check_json_schema",
    "check_schema_of",
    "complete",
    "diff",
    "expand",
    "fields_in",
    "find_kind",
    "kinds",
    "load_schema",
    "merge",
    "name_pattern",
    "parse",
    "read",
    "record_validator",
    "say_place",
    "suggest",
    "upgrade",
    "with_suggestion",
    "write",
]
