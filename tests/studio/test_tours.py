"""Guided tours go along from page to page, remember each person's step, and can be left and taken up again."""

import pytest

from formloop.studio.tours import tours

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
BOX = 'id="fl-tour"'


@pytest.fixture
def client(studio):
    studio.app.config["WTF_CSRF_ENABLED"] = False
    with studio.app.app_context():
        yield studio.client(studio.mei)


def test_a_tour_goes_along_on_every_page_until_it_is_left(client):
    assert BOX not in client.get("/definitions").text
    begun = client.post("/studio/tours/form", data={"again": "1"})
    assert begun.location.endswith("/definitions")
    assert BOX in client.get("/definitions").text
    assert BOX in client.get("/studio/new").text
    assert BOX not in client.get("/nothing-here").text
    assert client.post("/studio/tours/form/step", data={"step": "3", "leave": "1"}).status_code == 204
    assert BOX not in client.get("/definitions").text
    assert "You are at step 4 of" in client.get("/studio/tours").text


def test_a_tour_is_taken_up_where_it_was_left_or_begun_again(client):
    client.post("/studio/tours/bridge", data={"again": "1"})
    left = {"step": "2", "leave": "1", "page": "/studio/bridges/new"}
    client.post("/studio/tours/bridge/step", data=left)
    assert client.post("/studio/tours/bridge").location.endswith("/studio/bridges/new")
    assert 'data-number="2"' in client.get("/studio/bridges").text
    client.post("/studio/tours/bridge", data={"again": "1"})
    assert 'data-number="0"' in client.get("/studio/bridges").text


def test_nobody_is_led_away_from_the_site(client):
    client.post("/studio/tours/form/step", data={"step": "1", "page": "https://elsewhere.example/there"})
    assert client.post("/studio/tours/form").location == "/there"


def test_a_tour_taken_to_its_end_is_over_and_says_so(client):
    client.post("/studio/tours/approval", data={"again": "1"})
    client.post("/studio/tours/approval/step", data={"step": str(len(tours.get("approval").steps))})
    page = client.get("/studio/tours").text
    assert BOX not in page and "Taken" in page


def test_each_person_has_come_as_far_as_they_have(studio, client):
    client.post("/studio/tours/form/step", data={"step": "5", "leave": "1"})
    assert "You are at step 6 of" in client.get("/studio/tours").text
    assert "You are at step" not in studio.client(studio.lin).get("/studio/tours").text


def test_a_tour_that_is_none_is_not_found(client):
    assert client.post("/studio/tours/nowhere").status_code == 404
    assert client.post("/studio/tours/nowhere/step", data={"step": "1"}).status_code == 404


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_what_stands_on_the_screen_is_set_off_in_both_languages(studio, locale):
    sentences = [step.says.render(locale) for tour in tours for step in tour.steps]
    assert [said for said in sentences if said.count("*") % 2] == []
    assert [said for said in sentences if len(said) > 160] == []
