"""The inference protocols: each module turns bytes into arrays, and arrays into bytes.

May import: models.spec and the base modules; neither Flask nor onnxruntime.
"""
