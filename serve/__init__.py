"""Answer predictions over HTTP with onnxruntime, and without TensorFlow.

Where to look, from the outside in:

- ``settings``, ``option_types``, ``command_line``: the options;
- ``__main__``, ``commands``, ``health``: the commands;
- ``supervisor``: the main process, which starts workers and gives them connections;
- ``rollout``, ``versions``: new model versions, and which of them are served;
- ``worker``, ``http``, ``api``: a worker process and how it answers requests;
- ``inference``, ``protocols``, ``models``: from the body of a request to the model and back;
- ``telemetry``: metrics and the access log;
- ``processes``: processes and the messages between them;
- ``waitress_server``: the same application under waitress alone;
- ``errors``, ``log_output``, ``version``: what every package may use.
"""

import os

# onnxruntime reads it at import; without it, it complains in a read-only container.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# numpy reads it at import. The server does not use its linear algebra, and a forkserver with a
# second thread could not be forked safely.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
