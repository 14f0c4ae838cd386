"""A form made from a file, and the rows of the file in it."""

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from formloop.definitions import service as definitions
from formloop.events import outbox
from formloop.forms.kind import get_form
from formloop.forms.listing import Query, list_records
from formloop.forms.staging import list_batches

TABLE = """Order no.,Customer,Date,Item,Quantity
SO-1,Acme,2026-01-02,螺栓,10
SO-1,Acme,2026-01-02,螺母,20
SO-2,Beta,2026-01-03,螺栓,5
"""


@pytest.fixture
def client(studio: Any) -> FlaskClient:
    studio.app.config["WTF_CSRF_ENABLED"] = False
    return studio.client(studio.mei)


def upload(client: FlaskClient, content: str, name: str = "orders.csv") -> Any:
    """The answer to a file that was chosen."""
    return client.post("/studio/file", data={"file": (io.BytesIO(content.encode()), name)})


def shown(page: str) -> dict[str, str]:
    """What the page of columns would send unchanged."""
    values = dict(re.findall(r'name="(title\.\d+|name)"[^>]*value="([^"]*)"', page))
    values |= {k: v for v, k in re.findall(r'value="([^"]*)"[^>]*name="(title\.\d+|name)"', page)}
    for name, options in re.findall(
        r'<select class="form-select" name="(kind\.\d+)".*?>(.*?)</select>', page
    ):
        values[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    values |= dict.fromkeys(re.findall(r'name="(line\.\d+)" value="1" checked', page), "1")
    by = re.search(r'name="by".*?</select>', page, re.DOTALL)
    values["by"] = (re.findall(r'value="([^"]*)" selected', by[0]) or [""])[0] if by else ""
    return values


def test_the_page_tells_which_cell_makes_a_column_text(client: FlaskClient) -> None:
    rows = "\n".join(["Price", *"123456", "ask"])
    page = client.get(upload(client, rows).location).text
    assert "Nearly all cells would be “Amount”; “ask” is not." in page


def test_a_form_from_a_file_stays_in_the_application_it_was_begun_in(
    studio: Any, client: FlaskClient
) -> None:
    with studio.app.app_context():
        doc = {
            "x-kind": "app",
            "x-id": "0000007a",
            "x-key": "tools",
            "title": "Tools",
            "icon": "tools",
            "color": "orange",
        }
        definitions.publish_many(studio.mei, [doc], "made here", app="tools")
        begun = re.findall(r'href="(/studio/file[^"]*)"', client.get("/studio/new?app=tools").text)[0]
        given = dict(re.findall(r'name="(app)" value="([^"]*)"', client.get(begun).text))
        file = (io.BytesIO(TABLE.encode()), "orders.csv")
        address = client.post("/studio/file", data={**given, "file": file}).headers["Location"]
        page = client.get(address).text
        given = dict(re.findall(r'name="(app)" value="([^"]*)"', page))
        designer = client.post(address.partition("?")[0], data={**shown(page), **given}).headers["Location"]
        assert definitions.get_definition(designer.rsplit("/", 1)[1]).app == "tools"


def test_a_file_becomes_a_form_with_lines_and_its_rows_come_in(studio: Any, client: FlaskClient) -> None:
    with studio.app.app_context():
        address = upload(client, TABLE).headers["Location"]
        page = client.get(address).text
        values = shown(page)
        assert values["by"] == "0" and values["line.3"] == "1" and values["kind.2"] == "date"
        designer = client.post(address, data=values).headers["Location"]
        found = definitions.get_definition(designer.rsplit("/", 1)[1])
        assert "Bring in the rows" not in client.get(f"/definitions/{found.id}").text
        definitions.publish(studio.mei, found.id, "")
        assert "Bring in the rows of “orders.csv”" in client.get(f"/definitions/{found.id}").text
        batch = client.post(f"/studio/file/rows/{found.id}").headers["Location"]
        assert "Bring in the rows" not in client.get(f"/definitions/{found.id}").text
        columns = {"column.0": "order_no", "column.1": "customer", "column.2": "date"}
        columns |= {"column.3": "lines.item", "column.4": "lines.quantity", "by": "order_no"}
        assert all(
            f'value="{path}" selected' in client.get(batch).text for path in list(columns.values())[:-1]
        )
        client.post(f"{batch}/check", data=columns)
        outbox.drain()
        client.post(f"{batch}/run")
        outbox.drain()
        rows = list_records(studio.mei, get_form(found.key), Query()).rows
        assert sorted((row["order_no"], row["customer"]) for row in rows) == [
            ("SO-1", "Acme"),
            ("SO-2", "Beta"),
        ]


def test_what_was_guessed_can_be_corrected(studio: Any, client: FlaskClient) -> None:
    with studio.app.app_context():
        address = upload(client, TABLE).headers["Location"]
        values = {
            **shown(client.get(address).text),
            "by": "",
            "kind.2": "",
            "kind.4": "text",
            "title.1": "客户",
        }
        found = client.post(address, data=values).headers["Location"].rsplit("/", 1)[1]
        doc = definitions.find_draft(found).doc
        assert {key: each["type"] for key, each in doc["properties"].items()} == {
            "order_no": "string", "ke_hu": "string", "item": "string", "quantity": "string",
        }  # fmt: skip


def test_a_name_and_labels_are_insisted_on_and_nothing_typed_is_lost(client: FlaskClient) -> None:
    address = upload(client, TABLE).headers["Location"]
    values = {**shown(client.get(address).text), "name": " ", "title.1": "", "title.4": "How many"}
    answer = client.post(address, data=values)
    assert answer.status_code == 422 and "Give it a name." in answer.text and "How many" in answer.text
    assert "Give it a label." in answer.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("", "empty.csv", "This file is empty"),
        ("Name,Price\n", "head.csv", "no rows"),
        ("no workbook", "broken.xlsx", "not an Excel workbook"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(
    client: FlaskClient, content: str, name: str, says: str
) -> None:
    answer = upload(client, content, name)
    assert answer.status_code == 422 and says in answer.text


def test_the_file_of_somebody_else_is_not_there(studio: Any, client: FlaskClient) -> None:
    address = upload(client, TABLE).headers["Location"]
    assert studio.client(studio.lin).get(address).status_code == 404
    assert client.get("/studio/file/" + "0" * 32).status_code == 404
    with studio.app.app_context():
        assert list_batches(studio.lin, "orders") == []
