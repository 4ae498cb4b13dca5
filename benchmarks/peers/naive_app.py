"""Flask under waitress, as in a tutorial: ``get_json``, ``np.array``, ``jsonify``.

One process with four threads, the default of ``waitress-serve``.
"""

import numpy as np
from flask import Flask, Response, jsonify, request

from benchmarks.peers.onnx_session import OnnxSession

model = OnnxSession()
app = Flask(__name__)


@app.get("/ready")
def ready() -> Response:
    """Answer as soon as the model is loaded."""
    return jsonify({})


@app.post("/predict")
def predict() -> Response:
    """Answer a batch of images."""
    images = np.array(request.get_json()["images"], dtype=np.float32)
    scores = model.run(images)
    return jsonify(predictions=scores.argmax(axis=1).tolist(), probabilities=scores.tolist())
