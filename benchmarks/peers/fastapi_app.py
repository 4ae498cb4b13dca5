"""FastAPI on uvicorn, with orjson in both directions.

It is deployed as "Server Workers" of FastAPI's documentation describes, with uvloop and httptools.
orjson parses the body without a pydantic model, and the model runs on the event loop, because it
takes less time than handing it to a thread.
"""

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response

from benchmarks.peers.onnx_session import OnnxSession

model = OnnxSession()
app = FastAPI()


@app.get("/ready")
async def ready() -> Response:
    """Answer as soon as the model is loaded."""
    return Response(b"{}", media_type="application/json")


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer a batch of images."""
    images = orjson.loads(await request.body())["images"]
    scores = model.run(np.asarray(images, dtype=np.float32))
    answer = {"predictions": scores.argmax(axis=1), "probabilities": scores}
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )
