"""What a thing looks like in menus and on tiles: the icons and colours there are to choose from."""

from collections.abc import Callable, Mapping

from formloop.core.text import M, Message
from formloop.studio.pickers import Around, Option, pickers

ICONS: dict[str, Message] = {
    "apps": M("Grid of apps"),
    "briefcase": M("Briefcase"),
    "building": M("Building"),
    "building-bank": M("Bank"),
    "building-factory-2": M("Factory"),
    "building-store": M("Shop"),
    "building-warehouse": M("Warehouse building"),
    "shopping-cart": M("Shopping cart"),
    "basket": M("Basket"),
    "truck": M("Lorry"),
    "truck-return": M("Lorry coming back"),
    "package": M("Parcel"),
    "package-import": M("Parcel coming in"),
    "package-export": M("Parcel going out"),
    "box": M("Box"),
    "cube": M("Cube"),
    "stack-2": M("Stack"),
    "tools": M("Set of tools"),
    "tool": M("Spanner"),
    "hammer": M("Hammer"),
    "assembly": M("Assembly"),
    "components": M("Components"),
    "engine": M("Engine"),
    "robot": M("Robot"),
    "clipboard-list": M("Clipboard"),
    "checklist": M("Checklist"),
    "calendar": M("Calendar sheet"),
    "clock": M("Clock"),
    "users": M("People together"),
    "user": M("One person"),
    "id-badge-2": M("Badge"),
    "address-book": M("Address book"),
    "headset": M("Headset"),
    "phone": M("Telephone"),
    "mail": M("Letter"),
    "message": M("Speech bubble"),
    "coin": M("Coin"),
    "cash": M("Banknote"),
    "wallet": M("Wallet"),
    "credit-card": M("Credit card"),
    "receipt": M("Till receipt"),
    "file-invoice": M("Invoice sheet"),
    "file-text": M("Sheet of text"),
    "contract": M("Contract"),
    "calculator": M("Calculator"),
    "scale": M("Scales"),
    "percentage": M("Per cent sign"),
    "chart-bar": M("Bar chart"),
    "chart-line": M("Line chart"),
    "chart-pie": M("Pie chart"),
    "gauge": M("Gauge"),
    "target": M("Target disc"),
    "report-money": M("Statement of money"),
    "certificate": M("Certificate"),
    "microscope": M("Microscope"),
    "test-pipe": M("Test tube"),
    "ruler": M("Ruler"),
    "recycle": M("Recycling"),
    "leaf": M("Leaf"),
    "bulb": M("Light bulb"),
    "forms": M("Input boxes"),
    "table": M("Table grid"),
    "list-details": M("List with details"),
    "category": M("Tiles"),
    "tags": M("Tags"),
    "arrows-exchange": M("Arrows both ways"),
    "database": M("Database"),
    "folder": M("Folder"),
    "home": M("House"),
    "book": M("Book"),
    "school": M("School"),
    "rocket": M("Rocket"),
    "star": M("Star"),
}
COLORS: dict[str, Message] = {
    "blue": M("Blue"),
    "green": M("Green"),
    "orange": M("Orange"),
    "purple": M("Purple"),
    "cyan": M("Cyan"),
    "pink": M("Pink"),
}


def _named(faces: Mapping[str, Message]) -> Callable[[Around], list[Option]]:
    return lambda around: [(name, words.render(around.locale)) for name, words in faces.items()]


pickers.add("icon", _named(ICONS))
pickers.add("color", _named(COLORS))
