"""``python -m serve``: serve a published model; ``--help`` lists every setting."""

import logging
import os
import signal
import sys
from types import FrameType

from serve import settings
from serve.errors import StartError


def main() -> int:
    """Run the command line; returns the exit status."""
    chosen = settings.load(sys.argv[1:], os.environ)
    logging.basicConfig(format="serve: %(message)s", level=logging.INFO)
    signal.signal(signal.SIGTERM, _exit)
    try:
        # After the settings: --help need not wait for onnxruntime.
        from serve import repository, server
        from serve.app import create_app

        model = repository.open_model(chosen)
        http = server.create(create_app(model, chosen), server.listen(chosen), chosen)
    except StartError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    address = f"http://{http.effective_host}:{http.effective_port}"
    print(f"serving {model.name} version {model.version} on {address}; Ctrl-C ends it", flush=True)
    http.run()  # returns on Ctrl-C and SIGTERM
    print("ended", flush=True)
    return 0


def _exit(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
