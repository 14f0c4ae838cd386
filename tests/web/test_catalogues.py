"""Every sentence has its Chinese, says the same with the same places, and no Chinese is left over."""

from collections.abc import Mapping

import pytest

from web.catalogues import catalogue_of, list_rooms, places_in, sentences_of

ROOMS = list_rooms()


@pytest.fixture(scope="module")
def chinese() -> Mapping[str, str]:
    return {english: text for room in ROOMS for english, text in catalogue_of(room).items()}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room or "app")
def test_every_sentence_has_its_chinese(room: str, chinese: Mapping[str, str]) -> None:
    missing = [f"{where} {said!r}" for said, where in sentences_of(room) if not chinese.get(said)]
    assert missing == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room or "app")
def test_both_languages_name_the_same_places(room: str) -> None:
    differing = [said for said, text in catalogue_of(room).items() if places_in(said) != places_in(text)]
    assert differing == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room or "app")
def test_no_catalogue_keeps_what_nobody_says(room: str) -> None:
    said = {sentence for each in ROOMS for sentence, _ in sentences_of(each)}
    assert sorted(set(catalogue_of(room)) - said) == []


def test_a_sentence_has_one_chinese_only() -> None:
    first: dict[str, str] = {}
    doubled = [
        said
        for room in ROOMS
        for said, text in catalogue_of(room).items()
        if first.setdefault(said, text) != text
    ]
    assert doubled == []
