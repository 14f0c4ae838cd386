"""Keys from labels: what people call a thing becomes the name that formulas, tables and the API use."""

import re
import unicodedata
from collections.abc import Collection

MOST_LETTERS = 41
RESERVED = frozenset(
    {
        "id", "form_version", "revision", "state", "owner", "department", "created_at", "created_by",
        "updated_at", "updated_by", "deleted_at", "record", "position",
        "and", "or", "not", "true", "false", "null",
    }
)  # fmt: skip
_OTHERS = re.compile(r"[^a-z0-9]+")


def suggest_key(label: str, taken: Collection[str] = (), otherwise: str = "field") -> str:
    """A key for `label`: small Latin letters, digits and single underscores, unlike those taken.

    Chinese is written in pinyin; accents are dropped; what leaves nothing becomes `otherwise`.
    """
    written = label[:200] if label.isascii() else _in_pinyin(label[:200])
    plain = unicodedata.normalize("NFKD", written).casefold().encode("ascii", "ignore").decode("ascii")
    words = [word for word in _OTHERS.sub("_", plain).split("_") if word]
    if words and words[0][0].isdigit():
        words.insert(0, otherwise)
    key = _clipped(words) or otherwise
    number, free = 1, key
    while free in taken or free in RESERVED:
        number += 1
        free = f"{key[: MOST_LETTERS - len(str(number)) - 1].rstrip('_')}_{number}"
    return free


def _in_pinyin(label: str) -> str:
    # its dictionaries take half a second to load, and only builders need them
    from pypinyin import lazy_pinyin

    return " ".join(lazy_pinyin(label))


def _clipped(words: list[str]) -> str:
    """As many whole words as fit; a first word that alone is too long is cut."""
    key = ""
    for word in words:
        longer = f"{key}_{word}" if key else word[:MOST_LETTERS]
        if len(longer) > MOST_LETTERS:
            break
        key = longer
    return key
