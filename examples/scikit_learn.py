"""Train a scikit-learn model; write it as iris.onnx, and as iris.joblib with rows in iris.csv."""

from pathlib import Path

import joblib
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True, as_frame=True)
model = LogisticRegression(max_iter=1000).fit(X.to_numpy(), y)

# zipmap: probabilities as a tensor, not as a list of dictionaries
converted = to_onnx(model, X[:1].to_numpy("float32"), options={"zipmap": False})
Path("iris.onnx").write_bytes(converted.SerializeToString())

# What python -m export import converts itself
joblib.dump(model, "iris.joblib")
X.to_csv("iris.csv", index=False)
