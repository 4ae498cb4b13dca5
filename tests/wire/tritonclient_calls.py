"""Calls of NVIDIA's ``tritonclient.http``."""

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.models.people import PEOPLE_ROWS, probabilities
from tests.wire.calls import ADMIN_KEY, Target, main


def client(target: Target) -> triton.InferenceServerClient:
    return triton.InferenceServerClient(target.url.removeprefix("http://"))


def image(target: Target, datatype: str = "FP32", binary: bool = True) -> triton.InferInput:
    dtype = {"FP32": "float32", "UINT8": "uint8", "FP64": "float64"}[datatype]
    described = triton.InferInput("image", list(target.images.shape), datatype)
    described.set_data_from_numpy(target.images.astype(dtype), binary_data=binary)
    return described


def output(binary: bool) -> triton.InferRequestedOutput:
    return triton.InferRequestedOutput("probabilities", binary_data=binary)


def check(target: Target, result: triton.InferResult) -> None:
    probabilities = result.as_numpy("probabilities")
    assert probabilities.shape == (4, 10)
    assert probabilities.dtype == np.float32
    assert tuple(probabilities.argmax(axis=1)) == target.digits


def server_live(target: Target) -> None:
    assert client(target).is_server_live() is True


def server_ready(target: Target) -> None:
    assert client(target).is_server_ready() is True


def model_ready(target: Target) -> None:
    assert client(target).is_model_ready("mnist") is True
    assert client(target).is_model_ready("mnist", "1") is True
    assert client(target).is_model_ready("mnist", "9") is False
    assert client(target).is_model_ready("cats") is False


def server_metadata(target: Target) -> None:
    metadata = client(target).get_server_metadata()
    assert metadata["name"] == "onnxlet"
    assert "binary_tensor_data" in metadata["extensions"]


def model_metadata(target: Target) -> None:
    metadata = client(target).get_model_metadata("mnist", "1")
    assert metadata["versions"] == ["1"]
    tensor = {"name": "image", "datatype": "FP32", "shape": [-1, 784], "range": [0, 255]}
    assert metadata["inputs"] == [tensor]
    assert metadata["provenance"]["run_id"]


def model_config(target: Target) -> None:
    config = client(target).get_model_config("mnist")
    assert config["input"] == [{"name": "image", "data_type": "TYPE_FP32", "dims": [784]}]
    assert config["max_batch_size"] == 1024


def repository_index(target: Target) -> None:
    index = client(target).get_model_repository_index()
    ready = {"version": "1", "state": "READY", "reason": ""}
    assert index == [{"name": name} | ready for name in ("mnist", "people")]


def unload_and_load(target: Target) -> None:
    asked = client(target)
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    asked.unload_model("mnist", headers=headers)
    assert asked.is_model_ready("mnist") is False
    entry, _ = asked.get_model_repository_index()
    assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "unloaded")
    asked.load_model("mnist", headers=headers)
    check(target, asked.infer("mnist", [image(target)]))


def errors_of_load(target: Target) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    with pytest.raises(InferenceServerException, match="no model 'cats' in the repository"):
        client(target).load_model("cats", headers=headers)
    with pytest.raises(InferenceServerException, match="expected a key"):
        client(target).unload_model("mnist")
    with pytest.raises(InferenceServerException, match="parameter 'config'"):
        client(target).load_model("mnist", headers=headers, config="{}")


def statistics(target: Target) -> None:
    asked = client(target)
    check(target, asked.infer("mnist", [image(target)]))
    (stats,) = asked.get_inference_statistics("mnist", "1")["model_stats"]
    assert stats["inference_stats"]["success"]["count"] > 0
    assert stats["inference_count"] >= 4


def infer_binary(target: Target) -> None:
    check(target, client(target).infer("mnist", [image(target)]))
    check(target, client(target).infer("mnist", [image(target)], outputs=[output(binary=True)]))


def infer_json(target: Target) -> None:
    inputs = [image(target, binary=False)]
    check(target, client(target).infer("mnist", inputs, outputs=[output(binary=False)]))


def infer_mixed(target: Target) -> None:
    inputs = [image(target, binary=False)]
    check(target, client(target).infer("mnist", inputs, outputs=[output(binary=True)]))
    inputs = [image(target, binary=True)]
    check(target, client(target).infer("mnist", inputs, outputs=[output(binary=False)]))


def infer_other_datatypes(target: Target) -> None:
    for datatype in ("UINT8", "FP64"):
        check(target, client(target).infer("mnist", [image(target, datatype)]))


def infer_features(target: Target) -> None:
    """Rows of people without a missing value, which BOOL can't have."""
    columns = {
        "paid": ("BOOL", np.array([True, False])),
        "age": ("INT64", np.array([39, 20])),
        "job": ("BYTES", np.array(["admin", "nurse"], object)),
    }
    expected = probabilities(PEOPLE_ROWS[:2])
    for binary, shape in ((True, [2]), (False, [2]), (True, [2, 1]), (False, [2, 1])):
        inputs = []
        for name, (datatype, values) in columns.items():
            described = triton.InferInput(name, shape, datatype)
            inputs.append(described.set_data_from_numpy(values.reshape(shape), binary_data=binary))
        found = client(target).infer("people", inputs).as_numpy("probabilities")
        np.testing.assert_allclose(found, expected, atol=1e-6)


def infer_table(target: Target) -> None:
    described = triton.InferInput("features", [3, 3], "FP32").set_data_from_numpy(PEOPLE_ROWS)
    found = client(target).infer("people", [described]).as_numpy("probabilities")
    np.testing.assert_allclose(found, probabilities(PEOPLE_ROWS), atol=1e-6)


def infer_version(target: Target) -> None:
    result = client(target).infer("mnist", [image(target)], model_version="1")
    assert result.get_response()["model_version"] == "1"
    check(target, result)


def infer_label(target: Target) -> None:
    result = client(target).infer("mnist", [image(target)], model_version="stable")
    assert result.get_response()["model_version"] == "1"
    check(target, result)


def infer_request_id(target: Target) -> None:
    result = client(target).infer("mnist", [image(target)], request_id="my id")
    assert result.get_response()["id"] == "my id"


def infer_encoded(target: Target, encoding: str) -> None:
    for binary in (True, False):
        result = client(target).infer(
            "mnist",
            [image(target, binary=binary)],
            request_compression_algorithm=encoding,
            response_compression_algorithm=encoding,
        )
        check(target, result)


def infer_compressed_answer(target: Target) -> None:
    """Of 1,000 rows: shorter ones are not compressed."""
    many = np.repeat(target.images, 250, axis=0)
    described = triton.InferInput("image", list(many.shape), "UINT8")
    described.set_data_from_numpy(many)
    result = client(target).infer("mnist", [described], response_compression_algorithm="gzip")
    found = result.as_numpy("probabilities").argmax(axis=1)
    assert tuple(found[::250]) == target.digits


def async_infer(target: Target) -> None:
    shared = triton.InferenceServerClient(target.url.removeprefix("http://"), concurrency=4)
    requests = [shared.async_infer("mnist", [image(target)]) for _ in range(8)]
    for request in requests:
        check(target, request.get_result())


def errors(target: Target) -> None:
    wrong = triton.InferInput("picture", [1, 784], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 784), np.float32))
    for name, inputs, message in (
        ("mnist", [wrong], "expected the inputs image; got 'picture'"),
        ("cats", [image(target)], "no model 'cats'; there is mnist"),
    ):
        with pytest.raises(InferenceServerException, match=message):
            client(target).infer(name, inputs)


main(
    {
        "is_server_live": server_live,
        "is_server_ready": server_ready,
        "is_model_ready": model_ready,
        "get_server_metadata": server_metadata,
        "get_model_metadata": model_metadata,
        "get_model_config": model_config,
        "get_model_repository_index": repository_index,
        "unload_model, load_model": unload_and_load,
        "errors of load_model": errors_of_load,
        "get_inference_statistics": statistics,
        "infer, binary": infer_binary,
        "infer, JSON": infer_json,
        "infer, mixed": infer_mixed,
        "infer, UINT8 and FP64": infer_other_datatypes,
        "infer, a tensor for each feature": infer_features,
        "infer, a table as one tensor": infer_table,
        "infer, model_version": infer_version,
        "infer, a label as model_version": infer_label,
        "infer, request_id": infer_request_id,
        "infer, gzip": lambda target: infer_encoded(target, "gzip"),
        "infer, deflate": lambda target: infer_encoded(target, "deflate"),
        "infer, a compressed answer": infer_compressed_answer,
        "async_infer": async_infer,
        "errors": errors,
    }
)
