"""Whether an ONNX model gives the results of its Keras model, how accurate it is, and how fast.

Of export it imports ``errors``.
"""
