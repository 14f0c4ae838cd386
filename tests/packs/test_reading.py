"""Reading packs: shapes that are not what they should be are told, and folders are read once."""

import io
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from formloop.core.errors import Invalid
from formloop.packs.reading import read_folder, read_zip
from packs.archives import MANIFEST, note_form, zipped


@pytest.mark.parametrize("manifest", [[], None, 5, "text", {}])
def test_a_manifest_that_is_no_object_is_a_problem(manifest: Any) -> None:
    assert ("object", "pack.json") in [(p.code, p.at) for p in read_zip(zipped(pack=manifest)).problems]


@pytest.mark.parametrize(
    ("part", "at"),
    [
        ([1], "sample/a.json"),
        ({"by": "code", "records": []}, "sample/a.json: form"),
        ({"form": "note", "by": 1, "records": []}, "sample/a.json: by"),
        ({"form": "note", "by": "code"}, "sample/a.json: records"),
        ({"form": "note", "by": "code", "records": {}}, "sample/a.json: records"),
        ({"form": "note", "by": "code", "records": [{"code": "A"}, 1]}, "sample/a.json: records.1"),
        ({"form": "note", "by": "code", "records": [{"title": "A"}]}, "sample/a.json: records.0"),
    ],
)
def test_samples_of_another_shape_are_a_problem(part: Any, at: str) -> None:
    pack = read_zip(zipped(**{"note.form": note_form(), "sample_a": part}))
    assert [p.at for p in pack.problems] == [at]
    assert pack.samples == ()


def test_a_damaged_archive_is_refused() -> None:
    body = bytearray(zipped(**{"note.form": note_form()}))
    body[60] ^= 0xFF
    with pytest.raises(Invalid, match="cannot be read"):
        read_zip(bytes(body))


def test_a_folder_is_read_again_only_when_a_file_changed(tmp_path: Path) -> None:
    folder = tmp_path / "unit"
    shutil.copytree("templates_library/master_data", folder)
    first = read_folder(folder)
    assert read_folder(folder) is first
    file = folder / "unit.form.json"
    file.write_text(file.read_text("utf-8").replace('"Unit"', '"Measure"'), "utf-8")
    os.utime(file, ns=(1, 1))
    assert read_folder(folder).documents["unit.form.json"]["title"] == "Measure"
    file.unlink()
    assert "unit.form.json" not in read_folder(folder).documents


def _damaged(how: str) -> bytes:
    method = {"lzma": zipfile.ZIP_LZMA, "bzip2": zipfile.ZIP_BZIP2}.get(how, zipfile.ZIP_DEFLATED)
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", method) as archive:
        archive.writestr("pack.json", json.dumps(MANIFEST) * 5)
    made = bytearray(body.getvalue())
    listed = made.find(b"PK\x01\x02")
    if method != zipfile.ZIP_DEFLATED:
        made[47:70] = b"\xff" * 23
    elif how == "version":
        made[listed + 6 : listed + 8] = (99).to_bytes(2, "little")
    elif how == "name":
        made[listed + 8 : listed + 10] = (0x800).to_bytes(2, "little")
        made[listed + 46] = 0xFF
    elif how == "method":
        made[listed + 10 : listed + 12] = made[8:10] = (97).to_bytes(2, "little")
    elif how == "directory":
        made[listed + 3] = 9
    return bytes(made)


@pytest.mark.parametrize("how", ["lzma", "bzip2", "version", "name", "method", "directory"])
def test_whatever_is_wrong_with_an_archive_is_told_in_words(how: str) -> None:
    with pytest.raises(Invalid) as error:
        read_zip(_damaged(how))
    assert [problem.code for problem in error.value.problems] == ["zip"]
