"""FastAPI on uvicorn, orjson both ways.

As FastAPI's documentation deploys it ("Server Workers": several uvicorn workers), with uvloop and
httptools, and with what makes it fast here: the body is parsed by orjson without a pydantic model,
and the model runs on the event loop, for it takes less time than a thread's hand-over.
"""

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response

from benchmarks.peers.onnx_session import Graph

graph = Graph()
app = FastAPI()


@app.get("/ready")
async def ready() -> Response:
    """Answer as soon as the model is loaded."""
    return Response(b"{}", media_type="application/json")


@app.post("/predict")
async def predict(request: Request) -> Response:
    """Answer a batch of images."""
    images = orjson.loads(await request.body())["images"]
    scores = graph.run(np.asarray(images, dtype=np.float32))
    answer = {"predictions": scores.argmax(axis=1), "probabilities": scores}
    return Response(
        orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )
