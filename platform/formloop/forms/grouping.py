"""Which rows of a file are one record: each of them, those that belong together, or those of a second file."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from formloop.core.errors import Invalid, Problem
from formloop.core.text import M
from formloop.forms.mapping import ColumnMap, Skip
from formloop.forms.sheets import Cells, Row, Sheet, cell_text


def records_of(mapping: ColumnMap, sheet: Sheet, lines_sheet: Sheet | None) -> Iterator[dict[str, Any]]:
    """Each record with its row, `own`, and the rows of its `lines`; a row is its number in the file and its cells."""
    if mapping.lines and lines_sheet:
        yield from _with_lines(mapping, sheet, lines_sheet)
    elif mapping.line_paths:
        yield from _grouped(mapping, sheet)
    else:
        for number, cells in _wanted(sheet, mapping.skip):
            yield {"own": [number, cells]}


def _wanted(sheet: Sheet, skip: Skip) -> Iterator[Row]:
    left_out = _left_out(sheet, skip)
    return ((number, cells) for number, cells in sheet.rows if not left_out(cells))


def _left_out(sheet: Sheet, skip: Skip) -> Callable[[Cells], bool]:
    """Whether the cells of a row say that it is to be left out."""
    places = [(sheet.columns.index(column), said) for column, said in skip.items()]
    return lambda cells: any(_key(cells, place) in said for place, said in places)


def _grouped(mapping: ColumnMap, sheet: Sheet) -> Iterator[dict[str, Any]]:
    """Rows that follow each other and belong together."""
    places = [(sheet.columns.index(name), path) for name, path in mapping.columns.items()]
    heads = [place for place, path in places if "." not in path]
    keys = [place for place, path in places if path == mapping.by]  # none for a field that is calculated
    left_out = [(sheet.columns.index(column), said) for column, said in mapping.skip.items()]
    rows: list[Row] = []
    for row in sheet.rows:
        if rows and (mapping.each_row or not _belongs(row[1], rows[0][1], keys, heads)):
            yield from _record(rows, keys or heads, left_out)
            rows = []
        rows.append(row)
    if rows:
        yield from _record(rows, keys or heads, left_out)


def _belongs(cells: Cells, first: Cells, keys: Sequence[int], heads: Sequence[int]) -> bool:
    """Whether a row goes on with the record that begins with the row `first`.

    It does where both name the same, or the later one nothing; what else it says of the record is compared where
    it is drawn. Where nothing names them it says the same of the record, or nothing at all.
    """
    if any(_key(first, place) for place in keys):
        return all(_key(cells, place) in ("", _key(first, place)) for place in keys)
    said = [_key(cells, place) for place in heads]
    return not any(said) or said == [_key(first, place) for place in heads]


def _record(
    rows: list[Row], places: Sequence[int], left_out: Sequence[tuple[int, frozenset[str]]]
) -> Iterator[dict[str, Any]]:
    """What the rows of one record come to; nothing where all of them are left out.

    A row that says nothing in a column of `skip` says there what the first row of its record says.
    """
    head = rows[0][1]
    kept = [
        (number, cells)
        for number, cells in rows
        if not any(
            _key(cells, place) in said or (not _key(cells, place) and _key(head, place) in said)
            for place, said in left_out
        )
    ]
    if kept:
        names_itself = any(_key(kept[0][1], place) for place in places)
        own = kept[0] if names_itself else (kept[0][0], head)
        yield {"own": list(own), "lines": [list(row) for row in kept]}


def _with_lines(mapping: ColumnMap, sheet: Sheet, lines_sheet: Sheet) -> Iterator[dict[str, Any]]:
    assert mapping.lines
    parent, of = lines_sheet.columns.index(mapping.lines.parent), sheet.columns.index(mapping.lines.of)
    lines: dict[str, list[Row]] = {}
    for number, cells in _wanted(lines_sheet, mapping.lines.skip):
        lines.setdefault(_key(cells, parent), []).append((number, cells))
    left_out = _left_out(sheet, mapping.skip)
    for number, cells in sheet.rows:
        own = lines.pop(_key(cells, of), [])
        if not left_out(cells):
            yield {"own": [number, cells], "lines": [list(line) for line in own]}
    orphans = [number for rows in lines.values() for number, _ in rows]
    if orphans:
        text = M(
            "{count} rows of the file of lines belong to no record, the first is row {row}.",
            count=len(orphans),
            row=min(orphans),
        )
        raise Invalid([Problem("orphan", "", text)])


def _key(cells: Cells, place: int) -> str:
    return cell_text(cells[place])
