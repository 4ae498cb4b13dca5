"""Answer predictions over HTTP with onnxruntime, and without TensorFlow.

Where to look, from the outside in:

- ``__main__``, ``settings``, ``knob``, ``commands``: the command line;
- ``supervisor``, ``acceptor``, ``watchdog``, ``forkserver``, ``children``, ``control``: processes;
- ``listener``, ``cpus``, ``descriptors``, ``metrics_folder``: what the supervisor gives to them;
- ``rollout``, ``watch``, ``scan``, ``trial``, ``registry``, ``plan``, ``orders``: which versions
  all serve;
- ``worker``, ``loop``, ``poller``, ``threads``: one worker's event loop, and what it does in a
  turn;
- ``http``: connections, requests and responses; ``http.wsgi`` has waitress answer some of them;
- ``reference``: the same application under waitress alone;
- ``routes``, ``openapi``, ``openapi_schemas``: every route there is, and what is said of it;
- ``admission``, ``api_keys``, ``job``, ``waiting``, ``inference``: inference, past Flask;
- ``app``, ``views``: every route, in Flask;
- ``protocols``, ``encoding``, ``tensors``, ``answer``, ``errors``: bytes to valid arrays and back;
- ``loader``, ``catalog``, ``model``, ``signature``, ``memory``: the models of one process;
- ``repository``: requests to load and unload them;
- ``observer``, ``metrics``, ``shared_counters``, ``access_log``, ``log_output``: what is seen from
  outside.
"""

import os

# Read when onnxruntime is imported; without it, a read-only container gets a line of complaint.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Read when numpy is imported: its linear algebra is not used, and a forkserver with a second
# thread could not be forked safely.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
