"""What changed between two versions of a workflow, in the words of whoever reads it."""

import pytest

from formloop.access.actor import SYSTEM
from formloop.access.role_kind import ROLE
from formloop.access.words import ACTION_TITLES, SITE_TITLES
from formloop.core.definitions import Doc, diff
from formloop.definitions import service as definitions
from formloop.workflows.kind import WORKFLOW
from workflows.specimens import approval, workflow_doc

END = {"id": "done", "node": "end", "state": "confirmed"}
BUYER = [{"rule": "role", "role": "buyer"}]


pytestmark = [
    pytest.mark.usefixtures("database"),  # which has the names of whom is picked
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


def told(locale: str, before: list[Doc], after: list[Doc]) -> list[str]:
    changes = diff(workflow_doc(*before), workflow_doc(*after), WORKFLOW)
    return [each.describe(locale) for each in changes]


def test_values_that_are_chosen_are_said_as_the_designer_says_them() -> None:
    before = [approval("one", "bob", mode="any", fields={"reason": "edit"}), END]
    after = [approval("one", "bob", mode="all", fields={"reason": "require"}, actions=["approve"]), END]
    assert sorted(told("en", before, after), reverse=True) == [
        "Steps › One › How they decide changed from “One is enough” to “All must agree”.",
        "Steps › One › Field rights › reason changed from “May be filled in” to “Must be filled in”.",
        "Steps › One › Actions were added: Approve.",
    ]
    assert set(told("zh-CN", before, after)) == {
        "步骤 › One › 字段权限 › reason：由“可编辑”改为“必填”。",
        "步骤 › One › 多人审批方式：由“或签（一人同意即可）”改为“会签（须全部同意）”。",
        "步骤 › One › 可用操作：新增，内容为同意。",
    }


def test_who_is_asked_is_said_by_the_rules_that_choose_them() -> None:
    before, after = [approval("one", "bob"), END], [approval("one", "bob", "cho"), END]
    assert told("en", before, after) == ["Steps › One › Who changed from People (bob) to People (bob, cho)."]
    after = [approval("one", who=[{"rule": "chosen", "by": "previous"}]), END]
    assert told("zh-CN", before, after) == ["步骤 › One › 处理人：由人员 (bob)改为流转中指定 (上一处理人)。"]


def test_a_step_without_a_name_is_called_by_its_kind() -> None:
    handle = {"id": "issue", "node": "handle", "who": BUYER}
    tell = {"id": "tell", "node": "copy", "who": BUYER}
    unnamed = {**handle, "id": "handle_2"}
    assert told("en", [tell, END], [tell, unnamed, END])[0].startswith("Steps › Work to do (no. 2) was added")
    assert told("zh-CN", [tell, END], [tell, unnamed, END])[0].startswith("步骤 › 办理（第 2 个）：")
    assert told("en", [tell, END], [handle, tell, END]) == [
        "Steps › Work to do “issue” was added: Who Role (buyer)."
    ]
    assert told("zh-CN", [handle, tell, END], [tell, handle, END]) == [
        "步骤：顺序改为 抄送“tell”, 办理“issue”, 结束“done”。"
    ]


def test_steps_in_branches_are_told_with_the_words_around_them() -> None:
    def ways(*steps: Doc) -> list[Doc]:
        branches = [{"id": "dear", "title": "Dear", "steps": list(steps)}, {"id": "other", "steps": []}]
        return [{"id": "fork", "node": "parallel", "branches": branches}, END]

    found = told("zh-CN", ways(), ways(approval("head", "dee")))
    assert found == ["步骤 › 并行分支“fork” › 分支 › Dear › 步骤 › Head：新增。"]


def test_a_branch_without_a_name_is_called_by_its_number() -> None:
    def ways(*steps: Doc) -> list[Doc]:
        branches = [{"id": "fork_a", "steps": []}, {"id": "fork_b", "steps": list(steps)}]
        return [{"id": "fork", "node": "parallel", "title": "Both", "branches": branches}, END]

    head = approval("head", "dee")
    assert told("zh-CN", ways(), ways(head)) == ["步骤 › Both › 分支 › 第 2 个 › 步骤 › Head：新增。"]
    assert told("en", ways(), ways(head)) == ["Steps › Both › Branches › no. 2 › Steps › Head was added."]


def test_a_grant_is_called_by_its_form_and_names_its_fields_by_their_titles() -> None:
    fields = {"price": {"type": "number", "title": "Price"}, "note": {"type": "string", "title": "Note"}}
    bill = {"x-kind": "form", "x-id": "000000f9", "x-key": "bill", "title": "Bill", "type": "object"}
    definitions.publish_many(SYSTEM, [{**bill, "properties": fields}], "first")
    grant = {"id": "g1", "form": "bill", "may": ["view"], "fields": ["note"]}
    before = {"x-kind": "role", "x-id": "000000b7", "x-key": "clerk", "title": "Clerk", "grants": [grant]}
    after = {**before, "grants": [{**grant, "fields": ["note", "price"], "where": "price > 1"}]}
    assert [each.describe() for each in diff(before, after, ROLE)] == [
        "Grants › Bill › Fields changed from Note to Note, Price.",
        "Grants › Bill › Only records where was added: “Price > 1”.",
    ]


def test_what_a_role_may_do_is_said_as_everywhere_else() -> None:
    grant = {"id": "all", "form": "request", "may": ["view"]}
    before = {"x-kind": "role", "x-id": "000000b7", "x-key": "clerk", "title": "Clerk", "grants": [grant]}
    after = {**before, "grants": [{**grant, "may": ["view", "purge"]}]}
    assert [each.describe("zh-CN") for each in diff(before, after, ROLE)] == [
        "权限 › all › 允许的操作：由查看改为查看, 彻底删除。"
    ]
    fields = ROLE.schema["properties"]["grants"]["items"]["properties"]
    for said, titles in ((fields["may"]["items"], ACTION_TITLES), (fields["on"], SITE_TITLES)):
        for key in said["enum"]:
            word, title = said["x-titles"][key], titles[key]
            assert (word["title"], word["x-title"]["zh-CN"]) == (title.render("en"), title.render("zh-CN"))
