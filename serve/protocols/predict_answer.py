"""What ``POST /predict`` answers: the classes and probabilities of rows, or their values."""

from typing import Any

from numpy.typing import NDArray

from serve.models.spec import ModelSpec
from serve.protocols.interface import Tensors


def is_supported(model_spec: ModelSpec) -> bool:
    """Has the model outputs that can be answered?"""
    first = model_spec.outputs[0]
    if model_spec.is_regression:
        return len(first.shape) > 0 and first.shape[1:] in ((), (1,))
    return len(first.shape) == 2 or model_spec.has_label_output


def batch(outputs: Tensors, model_spec: ModelSpec) -> dict[str, Any]:
    """The predictions for all rows, and their probabilities and labels if there are some.

    Args:
        outputs: of the model; the first one has shape (N, classes), or (N,) or (N, 1) for a
            regression. As skl2onnx has it, it may also be the label, before the probabilities.
        model_spec: of the model.

    """
    scores = outputs[model_spec.outputs[0].name]
    if model_spec.is_regression:
        return {"predictions": scores.reshape(len(scores))}
    if model_spec.has_label_output:
        return _labelled(scores, outputs[model_spec.outputs[1].name], model_spec)
    predictions = scores.argmax(axis=1)
    response = {"predictions": predictions, "probabilities": scores}
    if model_spec.classes:
        response["labels"] = [model_spec.classes[number] for number in predictions.tolist()]
    return response


def _labelled(
    labels: NDArray[Any], probabilities: NDArray[Any], model_spec: ModelSpec
) -> dict[str, Any]:
    """The label that the model has chosen; it need not be that of the largest probability."""
    known = model_spec.labels
    if labels.dtype.kind == "i":
        response: dict[str, Any] = {"predictions": labels, "probabilities": probabilities}
        if known and labels.min() >= 0 and labels.max() < len(known):
            response["labels"] = [known[number] for number in labels.tolist()]
        return response
    names: list[str] = labels.tolist()
    positions = {name: position for position, name in enumerate(known)}
    numbers = probabilities.argmax(axis=1).tolist()
    predictions = [positions.get(*pair) for pair in zip(names, numbers, strict=True)]
    return {"predictions": predictions, "probabilities": probabilities, "labels": names}


def only(response: dict[str, Any]) -> dict[str, Any]:
    """The same for a single row: its prediction and label by themselves."""
    prediction = response["predictions"][0]
    # orjson does not know every integer of numpy's; float32 keeps its few digits.
    single = {"prediction": int(prediction) if "probabilities" in response else prediction}
    if "probabilities" in response:
        single["probabilities"] = response["probabilities"]
    if "labels" in response:
        single["label"] = response["labels"][0]
    return single
