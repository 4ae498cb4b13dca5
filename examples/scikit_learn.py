"""Train a scikit-learn model and write it as iris.onnx."""

from pathlib import Path

from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=1000).fit(X, y)

# zipmap: probabilities as a tensor, not as a list of dictionaries
converted = to_onnx(model, X[:1].astype("float32"), options={"zipmap": False})
Path("iris.onnx").write_bytes(converted.SerializeToString())
