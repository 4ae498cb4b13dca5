"""Keras to ONNX, with tf2onnx."""

from importlib import metadata
from pathlib import Path

OPSET = 17  # tf2onnx 1.17 writes 13 to 18
_PACKAGES = ("keras", "tf2onnx", "onnx", "onnxruntime", "numpy")


def convert(keras_file: Path, onnx_file: Path, takes: str = "float32") -> dict[str, str]:
    """Write the ONNX form of a Keras model with one float32 input of shape (N, …).

    The input keeps its name, the output gets the name of the last layer, and the batch
    dimension is called ``batch``. Affine layers are folded into the dense ones. Run it in a
    process of its own: tf2onnx numbers its nodes on from conversion to conversion, so that only
    the first of a process gives the same bytes.

    Args:
        keras_file: the model.
        onnx_file: to write.
        takes: the dtype of the input, as in ``Variant``; what is not float32 is cast in the graph.

    Returns:
        The versions of what took part, for the manifest.

    """
    # Imported here: the process that calls for a conversion needs none of them.
    import keras
    import onnx
    import tensorflow as tf
    import tf2onnx

    from export.graph import input_dtype
    from export.graph.fold import fold

    model = keras.models.load_model(keras_file, compile=False, safe_mode=True)
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
    graph = input_dtype.dtype(fold(graph), takes)
    used = {node.domain for node in graph.graph.node}
    for unused in [opset for opset in graph.opset_import if opset.domain not in used]:
        graph.opset_import.remove(unused)
    onnx.checker.check_model(graph, full_check=True)
    onnx.save(graph, onnx_file)
    return {"tensorflow": tf.__version__} | {name: metadata.version(name) for name in _PACKAGES}
