"""``python -m serve``: serve a published model; ``--help`` lists every setting."""

import logging
import os
import sys

from serve import settings
from serve.errors import StartError


def main() -> int:
    """Run the command line; returns the exit status."""
    chosen = settings.load(sys.argv[1:], os.environ)
    logging.basicConfig(format="serve: %(message)s", level=logging.INFO)
    try:
        # After the settings: --help need not wait for onnxruntime.
        from serve.supervisor import Supervisor

        status = Supervisor(chosen).run()
    except StartError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    print("ended", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
