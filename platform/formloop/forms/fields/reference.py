"""The page docs/reference/fields.md, made from the field types themselves."""

from formloop.core.text import translate
from formloop.forms.fields import types
from formloop.forms.filters import operators

_HEAD = """# Field types

Made from the registry by `formloop.forms.fields.reference`; a test checks that it is current.

`x-type` is the name in a form's JSON. Every field also takes `title`, `description`, `default`, `x-default`
(a formula), `x-linkage` (a value from another form), `x-visible`, `x-required`, `x-readonly` (conditions),
`readOnly`, `x-unique`, `x-width` and `x-scan` (a button that reads codes by the camera).

Conditions of `x-relation`, `x-linkage` and `x-query` name the other form's fields bare and this record's own
as `this.customer`; in lines `this` is the line, with the record's fields behind it. What the person may not see
there is not found.

| x-type | Name | 名称 | JSON | Filters | Own settings | What it is |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = []
    for each in types:
        english = each.title.render("en")
        filters = ", ".join(operators[name].title.render("en") for name in each.operators)
        own = ", ".join(f"`{key}`" for key in each.options)
        says = " ".join((type(each).__doc__ or "").split())
        cells = (f"`{each.name}`", english, translate(english, "zh-CN"), each.json_type, filters, own, says)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return _HEAD + "\n".join(rows) + "\n"
