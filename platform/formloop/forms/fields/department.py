"""A department."""

from formloop.core.text import M
from formloop.forms.fields.member import Member


class Department(Member):
    """A department of the organisation."""

    name = "department"
    title = M("Department")
    icon = "sitemap"
    widget = "department"
