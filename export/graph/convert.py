"""Convert a Keras model to ONNX with tf2onnx."""

from importlib import metadata
from pathlib import Path

OPSET = 17  # tf2onnx 1.17 writes 13 to 18
_PACKAGES = ("keras", "tf2onnx", "onnx", "onnxruntime", "numpy")


def convert(keras_file: Path, onnx_file: Path, input_type: str = "float32") -> dict[str, str]:
    """Convert a Keras model with one float32 input of shape (N, …).

    The input keeps its name, the output is named after the last layer, and the batch dimension is
    called ``batch``. Affine layers are folded into the dense ones. Call this in a new process:
    tf2onnx numbers the nodes of all conversions consecutively, so only the first conversion of a
    process always gives the same bytes.

    Args:
        keras_file: the model.
        onnx_file: the file to write.
        input_type: dtype of the input, see ``Variant``; the graph casts it to float32.

    Returns:
        The versions of the packages that were used, for the manifest.

    """
    # Imported here: the process that starts a conversion does not need them.
    import keras
    import onnx
    import tensorflow as tf
    import tf2onnx

    from export.graph import input_dtype
    from export.graph.fold import fold

    model = keras.models.load_model(keras_file, compile=False, safe_mode=True)
    # Tensors that a layer keeps beside its weights, such as the mean of a Normalization, would
    # become inputs of the graph. As arrays they become constants.
    for layer in model.layers:
        for name, value in vars(layer).items():
            if isinstance(value, tf.Tensor):
                setattr(layer, name, value.numpy())
    source, output = model.inputs[0], model.layers[-1].name
    # The key of the returned dict becomes the output's name. tf2onnx.convert.from_keras would
    # be shorter, but fails on Keras 3 models.
    function = tf.function(
        lambda rows: {output: model(rows, training=False)},
        input_signature=[tf.TensorSpec(source.shape, source.dtype, name=source.name)],
    )
    graph, _ = tf2onnx.convert.from_function(
        function, input_signature=function.input_signature, opset=OPSET
    )
    for tensor in (*graph.graph.input, *graph.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"
    graph = input_dtype.with_input_dtype(fold(graph), input_type)
    used = {node.domain for node in graph.graph.node}
    for unused in [opset for opset in graph.opset_import if opset.domain not in used]:
        graph.opset_import.remove(unused)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, onnx_file)
    return {"tensorflow": tf.__version__} | {name: metadata.version(name) for name in _PACKAGES}
