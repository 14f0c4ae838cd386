"""Little packs, written for one test each."""

import io
import json
import zipfile
from typing import Any

from formloop.packs.reading import Pack, read_zip

MANIFEST = {"key": "little", "title": "Little", "version": "1.0.0", "summary": ""}


def note_form(**changes: Any) -> dict[str, Any]:
    """A form with one field."""
    form = {
        "x-kind": "form", "x-id": "0000aaaa", "x-key": "note", "title": "Note", "x-title": {"zh-CN": "便条"},
        "type": "object", "properties": {"code": {"type": "string", "title": "Code"}},
    }  # fmt: skip
    return {**form, **changes}


def zipped(**files: Any) -> bytes:
    """An archive of JSON files; `sample_x` lies in the folder `sample`."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"pack": MANIFEST, **files}.items():
            path = f"sample/{name.removeprefix('sample_')}" if name.startswith("sample_") else name
            archive.writestr(f"{path}.json", json.dumps(content))
    return body.getvalue()


def note_pack(form: dict[str, Any] | None = None, **manifest: Any) -> Pack:
    """A pack that brings the form "note"."""
    return read_zip(zipped(**{"pack": {**MANIFEST, **manifest}, "note.form": form or note_form()}))
