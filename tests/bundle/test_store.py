import json
import threading
from pathlib import Path

import pytest

from bundle import layout, store
from bundle.errors import BundleError
from bundle.manifest import Manifest
from tests.bundle.test_golden import GOLDEN
from tests.bundle.test_manifest import MANIFEST

FILES = {"model.onnx": b"a model", "golden.npz": GOLDEN.to_npz()}


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return store.publish(tmp_path, MANIFEST, FILES)


def test_publishes_versions_one_after_another(tmp_path: Path) -> None:
    folders = [store.publish(tmp_path, MANIFEST, FILES) for _ in range(11)]
    assert [folder.name for folder in folders] == [str(n) for n in range(1, 12)]
    assert layout.versions(tmp_path, "m") == list(range(1, 12))
    assert layout.models(tmp_path) == ["m"]


def test_reads_what_it_published(tmp_path: Path, published: Path) -> None:
    bundle = store.read(tmp_path, "m", 1)
    assert (bundle.name, bundle.version, bundle.model) == ("m", 1, b"a model")
    assert bundle.manifest
    assert bundle.manifest.version == 1
    assert bundle.manifest.files.keys() == FILES.keys()
    assert bundle.manifest.parity == MANIFEST.parity


def test_others_may_read_what_is_published(published: Path) -> None:
    modes = [path.stat().st_mode & 0o444 for path in (published, *published.iterdir())]
    assert modes == [0o444] * 4


def test_writers_at_once_get_a_version_each(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=store.publish, args=(tmp_path, MANIFEST, FILES)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert layout.versions(tmp_path, "m") == list(range(1, 9))
    for version in range(1, 9):
        bundle = store.read(tmp_path, "m", version)
        assert bundle.manifest
        assert bundle.manifest.version == version


def test_a_failed_publication_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_sync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        store.publish(tmp_path, MANIFEST, FILES)
    assert list((tmp_path / "m").iterdir()) == []


def test_half_written_versions_are_not_seen(tmp_path: Path, published: Path) -> None:
    for name in (".publishing-0123", "7-copy", "07", "-1", "0"):
        (tmp_path / "m" / name).mkdir()
    (tmp_path / "m" / "9").write_text("a file, no folder")
    assert layout.versions(tmp_path, "m") == [1]


@pytest.mark.parametrize("name", ["../m", "a/b", "", ".hidden", "m n"])
def test_refuses_names_that_are_no_folder_names(tmp_path: Path, name: str) -> None:
    manifest = Manifest(**{**MANIFEST.__dict__, "name": name})
    with pytest.raises(BundleError, match="use letters, digits"):
        store.publish(tmp_path, manifest, FILES)
    assert layout.versions(tmp_path, name) == []


def test_reads_a_plain_onnx_folder(tmp_path: Path) -> None:
    (tmp_path / "plain" / "4").mkdir(parents=True)
    (tmp_path / "plain" / "4" / "model.onnx").write_bytes(b"a model")
    bundle = store.read(tmp_path, "plain", 4)
    assert (bundle.model, bundle.manifest, bundle.golden) == (b"a model", None, None)


@pytest.mark.parametrize("file", ["model.onnx", "golden.npz", "manifest.json"])
def test_refuses_a_version_with_a_missing_file(tmp_path: Path, published: Path, file: str) -> None:
    (published / file).unlink()
    with pytest.raises(BundleError, match=rf"{file}: missing$"):
        store.read(tmp_path, "m", 1)


@pytest.mark.parametrize("file", ["model.onnx", "golden.npz"])
def test_refuses_an_altered_file(tmp_path: Path, published: Path, file: str) -> None:
    data = bytearray((published / file).read_bytes())
    data[3] ^= 1
    (published / file).write_bytes(data)
    with pytest.raises(BundleError, match=f"{file}: checksum mismatch"):
        store.read(tmp_path, "m", 1)


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
        store.read(tmp_path, "m", 1)


def test_says_how_to_get_a_repository(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no such folder; `python -m export`"):
        layout.models(tmp_path / "none")


def test_a_label_is_given_and_moved(tmp_path: Path, published: Path) -> None:
    store.publish(tmp_path, MANIFEST, FILES)
    store.label(tmp_path, "m", "stable", 1)
    store.label(tmp_path, "m", "canary", 2)
    assert layout.labels(tmp_path, "m") == {"stable": 1, "canary": 2}
    store.label(tmp_path, "m", "stable", 2)
    assert layout.labels(tmp_path, "m") == {"stable": 2, "canary": 2}
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["1", "2", "labels.json"]


@pytest.mark.parametrize(
    ("text", "version", "message"),
    [
        ("stable", 2, "m/2: no such version"),
        ("12", 1, "label '12': use letters"),
        ("a b", 1, "label 'a b': use letters"),
    ],
)
def test_refuses_labels_that_are_none(
    tmp_path: Path, published: Path, text: str, version: int, message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        store.label(tmp_path, "m", text, version)
    assert layout.labels(tmp_path, "m") == {}


def test_a_label_does_not_overwrite_a_file_that_is_not_labels(
    tmp_path: Path, published: Path
) -> None:
    (tmp_path / "m/labels.json").write_text("[1]")
    with pytest.raises(BundleError, match="expected labels and version numbers"):
        store.label(tmp_path, "m", "stable", 1)
    assert (tmp_path / "m/labels.json").read_text() == "[1]"
