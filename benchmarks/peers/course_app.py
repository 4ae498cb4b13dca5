"""The original of the course project: Flask's own server, and Keras's ``predict`` per request.

``flask run`` uses threads, and TensorFlow uses all CPUs that it may.
"""

import os

import keras
import numpy as np
from flask import Flask, Response, jsonify, request

network = keras.saving.load_model(os.environ["PEER_KERAS_MODEL"])
app = Flask(__name__)


@app.get("/ready")
def ready() -> Response:
    """Answer as soon as the model is loaded."""
    return jsonify({})


@app.post("/predict")
def predict() -> Response:
    """Answer a batch of images."""
    scores = network.predict(np.array(request.get_json()["images"], dtype=np.float32))
    return jsonify(predictions=scores.argmax(axis=1).tolist(), probabilities=scores.tolist())
