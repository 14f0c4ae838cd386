"""Installing again never takes away what people changed here, nor what they are working on."""

import pytest
from flask import Flask

from formloop.access.actor import SYSTEM
from formloop.core.errors import Invalid
from formloop.definitions import library
from formloop.definitions import service as definitions
from formloop.packs import installing, service
from packs.archives import note_form, note_pack

pytestmark = pytest.mark.parametrize(
    "database", ["sqlite"], indirect=True
)  # what definitions say is the same on both


def refused(pack: service.Pack) -> list[tuple[str, str, str]]:
    """Code, file and Chinese sentence of everything that stands against installing."""
    with pytest.raises(Invalid) as error:
        service.install(SYSTEM, pack)
    return [(p.code, p.at, p.message.render("zh-CN")) for p in error.value.problems]


def test_a_pack_that_changed_is_installed_over_what_it_shipped_before(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    service.install(SYSTEM, note_pack(note_form(title="Memo"), version="1.1.0"))
    assert library.find_entry("form", "note").title == "Memo"


def test_a_definition_that_was_changed_here_stays(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    definitions.publish_many(SYSTEM, [note_form(title="Ours")], "ours")
    assert refused(note_pack()) == [
        ("changed_here", "note.form.json", "“便条”已在本地修改，安装会丢失这些修改。")
    ]
    with pytest.raises(Invalid):
        installing.begin(SYSTEM, note_pack(), with_samples=True)
    assert library.find_entry("form", "note").title == "Ours"


def test_what_was_taken_along_after_a_change_can_be_installed_again(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    definitions.publish_many(SYSTEM, [note_form(title="Ours")], "ours")
    assert [each.new for each in service.install(SYSTEM, note_pack(note_form(title="Ours")))] == [False]


def test_a_draft_stays(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    draft = definitions.save_draft(SYSTEM, "form", note_form(title="Soon"))
    text = "“Memo”有未发布的草稿，请先发布或放弃草稿。"
    memo = note_form(**{"title": "Memo", "x-title": {}})
    assert refused(note_pack(memo)) == [("changed_here", "note.form.json", text)]
    assert definitions.find_draft(draft.id) is not None


def test_a_draft_that_was_never_published_stays(app: Flask) -> None:
    draft = definitions.save_draft(SYSTEM, "form", note_form())
    assert [code for code, *_ in refused(note_pack())] == ["changed_here"]
    assert definitions.find_draft(draft.id) is not None


def test_a_form_made_here_is_not_taken_over(app: Flask) -> None:
    definitions.publish_many(SYSTEM, [note_form(title="Ours")], "ours")
    assert [code for code, *_ in refused(note_pack())] == ["changed_here"]


def test_what_another_pack_brought_stays_with_it(app: Flask) -> None:
    service.install(SYSTEM, note_pack())
    assert [code for code, *_ in refused(note_pack(key="other"))] == ["other_pack"]
