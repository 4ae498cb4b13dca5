"""FastAPI on uvicorn, with a pydantic model of the rows of a table, as its tutorial has it.

The features are those of the manifest beside the model. FastAPI's own response class answers.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, create_model

from benchmarks.peers.onnx_session import OnnxSession

_MANIFEST = json.loads(Path(os.environ["PEER_MODEL"]).with_name("manifest.json").read_bytes())
NAMES = [feature["name"] for feature in _MANIFEST["features"]]
Row: Any = create_model("Row", **dict.fromkeys(NAMES, (float, ...)))  # type: ignore[call-overload]

model = OnnxSession()
app = FastAPI()


class Batch(BaseModel):
    """The body of a request."""

    rows: list[Row]


@app.get("/ready")
async def ready() -> dict[str, str]:
    """Answer as soon as the model is loaded."""
    return {}


@app.post("/predict")
async def predict(batch: Batch) -> dict[str, Any]:
    """Answer rows of a table."""
    rows = [[getattr(row, name) for name in NAMES] for row in batch.rows]
    scores = model.run(np.array(rows, dtype=np.float32))
    return {"predictions": scores.argmax(axis=1).tolist(), "probabilities": scores.tolist()}
