"""Calls of KServe's ``InferenceRESTClient``, in both of its protocols."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

from tests.wire.calls import Target, main

T = TypeVar("T")


def ask(target: Target, version: str, question: Callable[[InferenceRESTClient], Awaitable[T]]) -> T:
    async def run() -> T:
        client = InferenceRESTClient(RESTConfig(protocol=version))
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(run())


def live(target: Target) -> None:
    assert ask(target, "v2", lambda client: client.is_server_live(target.url)) is True


def ready(target: Target) -> None:
    assert ask(target, "v2", lambda client: client.is_server_ready(target.url)) is True


def model_ready(target: Target) -> None:
    for version in ("v1", "v2"):
        assert ask(target, version, lambda c: c.is_model_ready(target.url, "mnist")) is True


def infer_v2(target: Target, binary: bool = False) -> None:
    described = InferInput("image", list(target.images.shape), "FP32")
    described.set_data_from_numpy(target.images.astype(np.float32), binary_data=binary)
    request = InferRequest("mnist", [described], request_id="42")
    answer: Any = ask(target, "v2", lambda client: client.infer(target.url, request, "mnist"))
    assert answer.id == "42"
    probabilities = answer.outputs[0].as_numpy()
    assert tuple(probabilities.argmax(axis=1)) == target.digits


def infer_v2_binary(target: Target) -> None:
    infer_v2(target, binary=True)


def infer_v1(target: Target) -> None:
    data = {"instances": target.images.tolist()}
    answer: Any = ask(target, "v1", lambda client: client.infer(target.url, data, "mnist"))
    assert tuple(np.argmax(answer["predictions"], axis=1)) == target.digits


main(
    {
        "is_server_live": live,
        "is_server_ready": ready,
        "is_model_ready, V1 and V2": model_ready,
        "infer, V2": infer_v2,
        "infer, V2 binary": infer_v2_binary,
        "infer, V1": infer_v1,
    }
)
