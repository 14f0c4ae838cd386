"""What a thing looks like in menus and on tiles: the icons and colours there are to choose from."""

from formloop.core.text import M, Message
from formloop.studio.pickers import Around, Option, pickers

ICONS = (
    "apps", "briefcase", "building", "building-bank", "building-factory-2", "building-store", "building-warehouse",
    "shopping-cart", "basket", "truck", "truck-return", "package", "package-import", "package-export", "box", "cube",
    "stack-2", "tools", "tool", "hammer", "assembly", "components", "engine", "robot", "clipboard-list", "checklist",
    "calendar", "clock", "users", "user", "id-badge-2", "address-book", "headset", "phone", "mail", "message", "coin",
    "cash", "wallet", "credit-card", "receipt", "file-invoice", "file-text", "contract", "calculator", "scale", "percentage",
    "chart-bar", "chart-line", "chart-pie", "gauge", "target", "report-money", "certificate", "microscope", "test-pipe",
    "ruler", "recycle", "leaf", "bulb", "forms", "table", "list-details", "category", "tags", "arrows-exchange", "database",
    "folder", "home", "book", "school", "rocket", "star",
)  # fmt: skip
COLORS: dict[str, Message] = {
    "blue": M("Blue"),
    "green": M("Green"),
    "orange": M("Orange"),
    "purple": M("Purple"),
    "cyan": M("Cyan"),
    "pink": M("Pink"),
}


def _colors(around: Around) -> list[Option]:
    return [(name, words.render(around.locale)) for name, words in COLORS.items()]


pickers.add("icon", lambda around: [(name, name.replace("-", " ")) for name in ICONS])
pickers.add("color", _colors)
