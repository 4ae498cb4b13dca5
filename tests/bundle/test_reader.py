import json
from pathlib import Path

import pytest

from bundle import layout, reader, writer
from bundle.errors import BundleError
from tests.bundle.example import GOLDEN, MANIFEST

FILES = {"model.onnx": b"a model", "golden.npz": GOLDEN.to_npz()}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return writer.publish(tmp_path, MANIFEST, FILES)


def test_reads_what_it_published(tmp_path: Path, published: Path) -> None:
    bundle = reader.read_version(tmp_path, "m", 1)
    assert (bundle.name, bundle.version, bundle.model) == ("m", 1, b"a model")
    assert bundle.manifest
    assert bundle.manifest.version == 1
    assert bundle.manifest.files.keys() == FILES.keys()
    assert bundle.manifest.parity == MANIFEST.parity


def test_half_written_versions_are_not_seen(tmp_path: Path, published: Path) -> None:
    for name in (".publishing-0123", "7-copy", "07", "-1", "0"):
        (tmp_path / "m" / name).mkdir()
    (tmp_path / "m" / "9").write_text("a file, no folder")
    assert layout.versions(tmp_path, "m") == [1]


def test_reads_a_plain_onnx_folder(tmp_path: Path) -> None:
    (tmp_path / "plain" / "4").mkdir(parents=True)
    (tmp_path / "plain" / "4" / "model.onnx").write_bytes(b"a model")
    bundle = reader.read_version(tmp_path, "plain", 4)
    assert (bundle.model, bundle.manifest, bundle.golden) == (b"a model", None, None)


@pytest.mark.parametrize("file", ["model.onnx", "golden.npz", "manifest.json"])
def test_refuses_a_version_with_a_missing_file(tmp_path: Path, published: Path, file: str) -> None:
    (published / file).unlink()
    with pytest.raises(BundleError, match=rf"{file}: missing$"):
        reader.read_version(tmp_path, "m", 1)


@pytest.mark.parametrize("file", ["model.onnx", "golden.npz"])
def test_refuses_an_altered_file(tmp_path: Path, published: Path, file: str) -> None:
    data = bytearray((published / file).read_bytes())
    data[3] ^= 1
    (published / file).write_bytes(data)
    with pytest.raises(BundleError, match=f"{file}: checksum mismatch"):
        reader.read_version(tmp_path, "m", 1)


@pytest.mark.parametrize("place", [0, 1, 12, 32, 63])
def test_every_digit_of_a_checksum_counts(tmp_path: Path, published: Path, place: int) -> None:
    path = published / "manifest.json"
    document = json.loads(path.read_text())
    digest = document["files"]["model.onnx"]
    other = f"{int(digest[place], 16) ^ 1:x}"
    document["files"]["model.onnx"] = digest[:place] + other + digest[place + 1 :]
    path.write_text(json.dumps(document))
    with pytest.raises(BundleError, match=r"model\.onnx: checksum mismatch"):
        reader.read_version(tmp_path, "m", 1)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"../../secret": "0"}, "names a file outside its own folder"),
        ({"golden.npz": None}, "names no model.onnx"),
    ],
)
def test_refuses_a_manifest_that_names_other_files(
    tmp_path: Path, published: Path, files: dict[str, str | None], message: str
) -> None:
    path = published / "manifest.json"
    document = json.loads(path.read_text())
    listed = document["files"]
    document["files"] = {name: value or listed[name] for name, value in files.items()}
    path.write_text(json.dumps(document))
    with pytest.raises(BundleError, match=message):
        reader.read_version(tmp_path, "m", 1)


def test_says_how_to_get_a_repository(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder; `python -m export`"):
        layout.models(tmp_path / "none")
