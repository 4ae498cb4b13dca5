"""Flask under waitress, as a tutorial has it: ``get_json``, ``np.array``, ``jsonify``.

One process with four threads, which is what ``waitress-serve`` does by itself.
"""

import numpy as np
from flask import Flask, Response, jsonify, request

from benchmarks.peers.onnx_session import Graph

graph = Graph()
app = Flask(__name__)


@app.get("/ready")
def ready() -> Response:
    """Answer as soon as the model is loaded."""
    return jsonify({})


@app.post("/predict")
def predict() -> Response:
    """Answer a batch of images."""
    images = np.array(request.get_json()["images"], dtype=np.float32)
    scores = graph.run(images)
    return jsonify(predictions=scores.argmax(axis=1).tolist(), probabilities=scores.tolist())
