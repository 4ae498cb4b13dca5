"""The reference: FastAPI on uvicorn, orjson both ways, the same model and the same answers.

As FastAPI's own documentation deploys it (several uvicorn workers), with uvloop and httptools,
and with what makes it fast here: the body is parsed by orjson without a pydantic model, and the
model runs on the event loop, for it takes less time than a thread's hand-over.
"""

import os

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["PEER_MODEL"], options)
app = FastAPI()


@app.get("/v2/health/ready")
async def ready() -> Response:
    """Answer as soon as the model is loaded."""
    return Response(b"{}", media_type="application/json")


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer a batch of images."""
    images = orjson.loads(await request.body())["images"]
    rows = np.asarray(images, dtype=np.float32)
    (scores,) = session.run(None, {"image": rows})
    answer = {"predictions": scores.argmax(axis=1), "probabilities": scores}
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )
