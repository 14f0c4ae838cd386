"""Keys suggested from labels."""

import re

import pytest

from formloop.core.definitions import KEY_PATTERN
from formloop.core.keys import RESERVED, suggest_key
from formloop.forms.spec import LINE_COLUMNS, SYSTEM_COLUMNS


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Quantity", "quantity"),
        ("Delivery date", "delivery_date"),
        ("  Unit -- price (¥)  ", "unit_price"),
        ("数量", "shu_liang"),
        ("客户PO号", "ke_hu_po_hao"),
        ("Größe", "grosse"),
        ("Café №", "cafe_no"),
        ("2nd address", "field_2nd_address"),
        ("😀", "field"),
        ("", "field"),
        ("___", "field"),
        ("État", "etat"),
        ("State", "state_2"),
        ("ID", "id_2"),
        ("And", "and_2"),
    ],
)
def test_a_label_becomes_a_readable_key(label, key):
    assert suggest_key(label) == key


def test_a_key_is_unlike_those_taken():
    assert suggest_key("Name", {"name"}) == "name_2"
    assert suggest_key("Name", {"name", "name_2"}) == "name_3"


def test_a_long_label_keeps_whole_words_and_stays_unique():
    long = "the quantity that was really delivered to the customer in the very end of all the days of the year 20"
    first = suggest_key(long)
    assert first == "the_quantity_that_was_really_delivered_to"
    assert len(suggest_key(long, {first})) <= 41
    assert suggest_key("x" * 100) == "x" * 41
    assert suggest_key("数" * 100).count("shu") == 10


@pytest.mark.parametrize(
    "label", ["数" * 100, "9" * 100, "_a_", "Ünï", "a__b", "İ", "ﬁ", "１２", "\0", "x" * 99]
)
def test_every_key_is_one_that_forms_accept(label):
    taken = set()
    for _ in range(12):
        key = suggest_key(label, taken)
        assert re.fullmatch(KEY_PATTERN, key) and "__" not in key and key not in taken | RESERVED
        taken.add(key)


def test_no_name_of_the_platforms_own_is_suggested():
    assert set(SYSTEM_COLUMNS) | set(LINE_COLUMNS) <= RESERVED
    for name in SYSTEM_COLUMNS:
        assert suggest_key(name.replace("_", " ")) not in SYSTEM_COLUMNS
