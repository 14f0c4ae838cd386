"""What people write about things, as Markdown: paragraphs, lists, links; nothing of it is taken for HTML."""

from markdown_it import MarkdownIt

_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")


def to_html(text: str) -> str:
    """The HTML of a text. Links that would run something, and pictures from elsewhere, stay text."""
    return str(_markdown.render(text))
