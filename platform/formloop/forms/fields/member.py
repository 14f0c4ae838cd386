"""A person."""

from formloop.core.text import M
from formloop.forms.fields.relation import RelationField


class Member(RelationField):
    """Somebody with an account here."""

    name = "member"
    title = M("Member")
    icon = "user"
    widget = "member"
