"""Golden rows: of any published model, and why others can't be loaded."""

import shutil
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.load import golden_rows
from benchmarks.load.golden_rows import GoldenModel
from benchmarks.load.protocols import Model


def test_a_published_model(golden: GoldenModel, repository: Path) -> None:
    assert golden.model == Model("mnist", {"image": "FP32"}, ["probabilities"])
    assert golden.version == 1
    assert golden.rows.inputs["image"].shape == (10, 784)
    with pytest.raises(BenchmarkError, match="has no model other: publish one"):
        golden_rows.published(repository, "other")


def test_a_served_model_says_where_it_came_from(host: str, repository: Path) -> None:
    served = golden_rows.served(host, "mnist", repository)
    assert served.version == 1
    assert len(served.provenance["run_id"]) == 32


def test_rows_begin_again(golden: GoldenModel) -> None:
    some = golden.rows.some(13, first=8)
    images, scores = golden.rows.inputs["image"], golden.rows.outputs["probabilities"]
    numbers = [8, 9, *range(10), 0]
    np.testing.assert_array_equal(some.inputs["image"], images[numbers])
    np.testing.assert_array_equal(some.outputs["probabilities"], scores[numbers])


def test_a_model_that_is_not_served(host: str, repository: Path, tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"/v2/models/other answers 404: .*other"):
        golden_rows.served(host, "other", repository)
    with pytest.raises(BenchmarkError, match="Connection refused"):
        golden_rows.served("http://127.0.0.1:9", "mnist", repository)
    with pytest.raises(BenchmarkError, match=r"no golden rows to send: .*manifest\.json|mnist"):
        golden_rows.served(host, "mnist", tmp_path)


def test_a_model_without_golden_rows(other_repository: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"two/1 has no golden\.npz: publish the model"):
        golden_rows.published(other_repository, "two")


def test_another_server(repository: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"hello": 1}')

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(BenchmarkError, match="is another server: it answers"):
            golden_rows.served(f"http://127.0.0.1:{server.server_port}", "mnist", repository)
        server.shutdown()


def test_a_damaged_version(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "mnist", tmp_path / "mnist")
    (tmp_path / "mnist/1/golden.npz").write_bytes(b"damaged")
    with pytest.raises(BenchmarkError, match=r"no golden rows to send: .*checksum mismatch"):
        golden_rows.published(tmp_path, "mnist")
