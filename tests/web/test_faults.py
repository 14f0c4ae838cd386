"""What people see when something goes wrong."""

import json

import pytest
from flask.testing import FlaskClient

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("how", "status", "english", "chinese"),
    [
        ("forbidden", 403, "You may not do this", "您没有权限"),
        ("conflict", 409, "Somebody was faster", "有人比您先一步修改了"),
        ("crash", 500, "Something broke on our side", "系统出错了"),
    ],
)
def test_a_fault_has_a_page_in_both_languages(
    client: FlaskClient, how: str, status: int, english: str, chinese: str
) -> None:
    for language, words in (("en", english), ("zh-CN", chinese)):
        answer = client.get(f"/fail/{how}", headers={"Accept-Language": language})
        assert answer.status_code == status
        assert words in answer.text
        assert f'<html lang="{language}"' in answer.text
        assert answer.headers["X-Request-ID"] in answer.text


def test_a_page_that_does_not_exist_says_so(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "Not found" in answer.text


def test_a_crash_tells_nothing_of_its_inside(client: FlaskClient) -> None:
    assert "ZeroDivision" not in client.get("/fail/crash").text


def test_htmx_gets_a_toast_with_the_request_number_and_a_retry(client: FlaskClient) -> None:
    answer = client.get("/fail/crash", headers=HTMX)
    toast = json.loads(answer.headers["HX-Trigger"])["fl-toast"]
    assert answer.status_code == 500
    assert (toast["kind"], toast["retry"], toast["request"]) == (
        "danger",
        True,
        answer.headers["X-Request-ID"],
    )


@pytest.mark.parametrize("how", ["conflict", "invalid"])
def test_a_refusal_without_a_form_of_its_own_leaves_the_page_alone(client: FlaskClient, how: str) -> None:
    answer = client.get(f"/fail/{how}", headers=HTMX)
    assert answer.headers["HX-Reswap"] == "none"
    assert json.loads(answer.headers["HX-Trigger"])["fl-toast"]["retry"] is False


def test_programs_get_the_one_error_shape(client: FlaskClient) -> None:
    answer = client.get("/fail/invalid", headers={"Accept": "application/json"})
    error = answer.json["error"] if answer.json else {}
    assert answer.status_code == 422
    assert error["code"] == "invalid"
    assert error["problems"] == [{"code": "required", "at": "name", "message": "Please sign in."}]
    assert error["request_id"] == answer.headers["X-Request-ID"]


def test_a_request_number_from_a_balancer_is_kept_and_a_strange_one_is_not(client: FlaskClient) -> None:
    assert client.get("/list", headers={"X-Request-ID": "abc-12345"}).headers["X-Request-ID"] == "abc-12345"
    assert client.get("/list", headers={"X-Request-ID": "a b<c>"}).headers["X-Request-ID"] != "a b<c>"
