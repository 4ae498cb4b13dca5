"""ONNX graphs: converted from Keras, simplified, quantized and checked.

Of export it imports ``errors``.
"""
