import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bundle import labels, layout, reader, writer
from bundle.errors import BundleError
from bundle.manifest import Manifest
from tests.bundle.example import FILES, MANIFEST


@pytest.fixture
def published(tmp_path: Path) -> Path:
    return writer.publish(tmp_path, MANIFEST, FILES)


def test_publishes_versions_one_after_another(tmp_path: Path) -> None:
    folders = [writer.publish(tmp_path, MANIFEST, FILES) for _ in range(11)]
    assert [folder.name for folder in folders] == [str(n) for n in range(1, 12)]
    assert layout.versions(tmp_path, "m") == list(range(1, 12))
    assert layout.models(tmp_path) == ["m"]


def test_what_is_published_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file before it has its name, and the folders in which it gets one."""
    flushed = []
    flush = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    writer.publish(tmp_path, MANIFEST, FILES)
    names = [re.sub(r"\.publishing-\w+", "hidden", path) for path in flushed]
    model = tmp_path / "m"
    *before, last = names
    assert last == str(model)
    assert set(before) == {
        *(f"{model}/hidden/{file}" for file in (*FILES, "manifest.json")),
        *(f"{model}/hidden", f"{model}/published.txt"),
    }
    flushed.clear()
    writer.label(tmp_path, "m", "stable", 1)
    assert len(flushed) == 2  # the labels, and their folder
    flushed.clear()
    writer.append(tmp_path, "m", "history.jsonl", b"{}\n")
    assert flushed == [f"{model}/history.jsonl"]


def test_others_may_read_what_is_published(published: Path) -> None:
    modes = [path.stat().st_mode & 0o444 for path in (published, *published.iterdir())]
    assert modes == [0o444] * 4


def test_writers_at_once_get_a_version_each(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=writer.publish, args=(tmp_path, MANIFEST, FILES)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert layout.versions(tmp_path, "m") == list(range(1, 9))
    for version in range(1, 9):
        bundle = reader.read_version(tmp_path, "m", version)
        assert bundle.manifest
        assert bundle.manifest.version == version


def test_a_number_is_never_used_again(tmp_path: Path) -> None:
    for expected in ("1", "2", "3"):
        assert writer.publish(tmp_path, MANIFEST, FILES).name == expected
    shutil.rmtree(tmp_path / "m/3")
    assert writer.publish(tmp_path, MANIFEST, FILES).name == "4"
    (tmp_path / "m/published.txt").write_text("1\n2\n3\n4\n1")  # cut off in the middle of 10
    assert writer.publish(tmp_path, MANIFEST, FILES).name == "5"
    (tmp_path / "m/published.txt").unlink()  # of a repository that is older than this file
    assert writer.publish(tmp_path, MANIFEST, FILES).name == "6"


def test_a_number_that_was_used_and_deleted_meanwhile_is_not_used(tmp_path: Path) -> None:
    process = writing(tmp_path)  # as version 1
    shutil.rmtree(writer.publish(tmp_path, MANIFEST, FILES))
    process.communicate("")
    assert layout.versions(tmp_path, "m") == [2]


def test_one_decides_at_a_time(tmp_path: Path, published: Path) -> None:
    order = []

    def decide() -> None:
        with writer.promotion_lock(tmp_path, "m"):
            order.append("second")

    with writer.promotion_lock(tmp_path, "m"):
        other = threading.Thread(target=decide)
        other.start()
        other.join(0.2)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    with (
        pytest.raises(BundleError, match="no: No such file"),
        writer.promotion_lock(tmp_path, "no"),
    ):
        pass


def test_a_failed_publication_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_sync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        writer.publish(tmp_path, MANIFEST, FILES)
    assert layout.versions(tmp_path, "m") == []
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("name", ["../m", "a/b", "", ".hidden", "m n"])
def test_refuses_names_that_are_no_folder_names(tmp_path: Path, name: str) -> None:
    manifest = Manifest(**{**MANIFEST.__dict__, "name": name})
    with pytest.raises(BundleError, match="use letters, digits"):
        writer.publish(tmp_path, manifest, FILES)
    assert layout.versions(tmp_path, name) == []


def test_a_label_is_given_and_moved(tmp_path: Path, published: Path) -> None:
    writer.publish(tmp_path, MANIFEST, FILES)
    writer.label(tmp_path, "m", "stable", 1)
    writer.label(tmp_path, "m", "canary", 2)
    assert labels.read(tmp_path, "m").versions == {"stable": 1, "canary": 2}
    writer.label(tmp_path, "m", "stable", 2)
    assert labels.read(tmp_path, "m").versions == {"stable": 2, "canary": 2}
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == [
        *("1", "2", "labels.json", "published.txt")
    ]


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
        writer.label(tmp_path, "m", text, version)
    assert labels.read(tmp_path, "m").versions == {}


def test_a_label_does_not_overwrite_a_file_that_is_not_labels(
    tmp_path: Path, published: Path
) -> None:
    (tmp_path / "m/labels.json").write_text("[1]")
    with pytest.raises(BundleError, match="expected labels and version numbers"):
        writer.label(tmp_path, "m", "stable", 1)
    assert (tmp_path / "m/labels.json").read_text() == "[1]"


def test_files_can_tell_the_version(tmp_path: Path) -> None:
    for version in (1, 2):
        folder = writer.publish(tmp_path, MANIFEST, FILES, lambda n: {"n.txt": str(n).encode()})
        assert (folder / "n.txt").read_text() == str(version)
        bundle = reader.read_version(tmp_path, "m", version)
        assert bundle.manifest
        assert bundle.manifest.files.keys() == {*FILES, "n.txt"}


def test_a_file_beside_the_versions_is_written_once(tmp_path: Path, published: Path) -> None:
    for data in (b"first", b"second"):
        writer.write_if_absent(tmp_path, "m", "config.pbtxt", data)
    assert (tmp_path / "m/config.pbtxt").read_bytes() == b"first"


ENDLESS = """
import sys
from pathlib import Path
from bundle import writer
from tests.bundle.example import FILES, MANIFEST
def wait(number):
    print("writing", flush=True)
    sys.stdin.read()
    return {}
writer.publish(Path(sys.argv[1]), MANIFEST, FILES, wait)
"""


def writing(folder: Path) -> subprocess.Popen[str]:
    """A process in the middle of publishing, which ends it at the end of its input."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    return process


def hidden(folder: Path) -> list[str]:
    return [path.name for path in (folder / "m").iterdir() if path.name.startswith(".")]


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    process = writing(tmp_path)
    process.kill()
    process.communicate()
    assert len(hidden(tmp_path)) == 1
    assert layout.versions(tmp_path, "m") == []
    assert writer.publish(tmp_path, MANIFEST, FILES).name == "1"
    assert hidden(tmp_path) == []


def test_what_another_one_is_writing_stays(tmp_path: Path) -> None:
    process = writing(tmp_path)
    assert writer.publish(tmp_path, MANIFEST, FILES).name == "1"
    process.communicate("")
    assert process.returncode == 0
    assert layout.versions(tmp_path, "m") == [1, 2]
    assert hidden(tmp_path) == []


def test_a_placed_version_uses_up_its_number(tmp_path: Path) -> None:
    writer.publish(tmp_path / "from", MANIFEST, FILES)
    shutil.copytree(tmp_path / "from/m/1", tmp_path / "arrived")
    writer.place(tmp_path / "to", "m", 7, tmp_path / "arrived")
    placed = tmp_path / "to/m/7"
    assert (placed / "model.onnx").read_bytes() == FILES["model.onnx"]
    shutil.rmtree(placed)
    assert writer.publish(tmp_path / "to", MANIFEST, FILES).name == "8"
