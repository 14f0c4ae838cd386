"""What a kind's schema says of one place of a document, with references followed and alternatives chosen."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from formloop.studio.operations import find

Schema = Mapping[str, Any]


def resolve(schema: Schema, root: Schema, value: Any = None) -> Schema:
    """The schema behind a reference, and of several forms the one that `value` has; what is beside it wins."""
    found = schema
    for _ in range(20):
        if "$ref" in found:
            steps = str(found["$ref"]).split("/")[1:]
            beside = {key: each for key, each in found.items() if key != "$ref"}
            found = {**reduce(lambda place, step: place[step], steps, root), **beside}
        elif found.get("anyOf"):
            beside = {key: each for key, each in found.items() if key != "anyOf"}
            found = {**_fitting(found["anyOf"], value), **beside}
        else:
            break
    return found


def alternatives(schema: Schema, root: Schema) -> list[Schema]:
    """The forms an object may have; itself where there is only one."""
    found = schema
    while "$ref" in found:
        found = reduce(lambda place, step: place[step], str(found["$ref"]).split("/")[1:], root)
    return [resolve(each, root) for each in found.get("anyOf", (found,))]


def discriminator(schema: Schema) -> tuple[str, str] | None:
    """The property whose fixed value says which form an object has, and that value."""
    for key, each in schema.get("properties", {}).items():
        if isinstance(each.get("const"), str):
            return key, each["const"]
    return None


def schema_at(root: Schema, doc: Any, path: Sequence[str]) -> Schema | None:
    """The schema of a place; None where there can be none."""
    found: Schema | None = resolve(root, root, doc)
    value = doc
    for name in path:
        if found is None:
            return None
        value, inner = find(value, (name,), {}), below(found, name)
        found = resolve(inner, root, value) if isinstance(inner, Mapping) else None
    return found


def below(schema: Schema, name: str) -> Any:
    """The schema of a property, or of the members of a list."""
    if "items" in schema:
        return schema["items"]
    return schema.get("properties", {}).get(name, schema.get("additionalProperties"))


def _fitting(choices: Sequence[Schema], value: Any) -> Schema:
    if isinstance(value, dict):
        for each in choices:
            said = discriminator(each)
            if said and value.get(said[0]) == said[1]:
                return each
        return next((each for each in choices if "properties" in each), choices[0])
    if isinstance(value, list):
        return next((each for each in choices if each.get("type") == "array"), choices[0])
    return choices[0]
