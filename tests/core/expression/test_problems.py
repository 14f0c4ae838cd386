"""A wrong expression is refused with the position, the reason and what to do."""

import pytest

from formloop.core.expression import BOOL, DATE, NUMBER, TEXT, ListType, RecordType, Type, check

LINE = RecordType("lines", lambda: {"amount": NUMBER, "quantity": NUMBER})
NAMES: dict[str, Type] = {
    "amount": NUMBER,
    "note": TEXT,
    "due_date": DATE,
    "lines": ListType(LINE),
    "payments": ListType(RecordType("payments", lambda: {"amount": NUMBER})),
    "customer": RecordType("customer", lambda: {"credit_limit": NUMBER}),
}


@pytest.mark.parametrize(
    ("source", "code", "column", "says"),
    [
        ("", "empty", 1, "empty"),
        ("1 +", "unfinished", 4, "value is missing"),
        ("SUM(1, 2", "unfinished", 9, "“)” is missing"),
        ("'open", "open_text", 1, "not closed"),
        ("1 # 2", "character", 3, "“#”"),
        ("amount note", "unexpected", 8, "operator"),
        ("1 + * 2", "unexpected", 5, "value is missing"),
        ("amont + 1", "unknown_name", 1, "Did you mean “amount”"),
        ("customer.credit_limt", "unknown_name", 10, "“credit_limit”"),
        ("amount.x", "no_fields", 1, "no fields"),
        ("SUMM(1)", "unknown_function", 1, "SUM"),
        ("ROUND()", "arguments", 1, "ROUND(number"),
        ("ROUND(note)", "argument_type", 7, "is a text"),
        ("amount + note", "not_a_number", 10, "&"),
        ("amount > note", "not_comparable", 10, "cannot be compared"),
        ("due_date > 'soon'", "not_a_date", 12, "2026-01-31"),
        ("due_date + note", "date_arithmetic", 12, "number"),
        ("SUMIF(amount, TRUE)", "not_a_list", 7, "list"),
        ("SUM(lines.amount * payments.amount)", "two_lists", 5, "different lists"),
        ("lines.amount > 1", "list", 1, "ANY or ALL"),
        ("amount", "result_type", 1, "yes or no"),
        ("1" * 19 + " > 0", "number", 1, "digits"),
        ("(" * 5000, "too_long", 1025, "4,096"),
        ("+".join(["1"] * 300) + " > 0", "too_big", None, "500"),
        ("-" * 40 + "1 > 0", "too_deep", None, "32"),
    ],
)
def test_problem(source: str, code: str, column: int | None, says: str) -> None:
    expression, problems = check(source, NAMES, BOOL)
    assert expression is None
    assert (problems[0].code, problems[0].line) == (code, 1)
    assert column is None or problems[0].column == column
    assert says in str(problems[0].message)


def test_every_problem_is_reported_not_only_the_first() -> None:
    _, problems = check("IF(amont > 1,\n  nte, amount + note)", NAMES)
    assert [(p.line, p.column, p.code) for p in problems] == [
        (1, 4, "unknown_name"),
        (2, 3, "unknown_name"),
        (2, 17, "not_a_number"),
    ]


def test_circular_relations_are_followed_only_as_far_as_written() -> None:
    person = RecordType("person", lambda: {"head": person, "age": NUMBER})
    expression, problems = check("person.head.head.age", {"person": person})
    assert expression is not None
    assert not problems
