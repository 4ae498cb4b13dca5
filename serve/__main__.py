"""``python -m serve``: serve a published model; ``--help`` lists every setting."""

import logging
import os
import sys

from serve import settings
from serve.errors import StartError


def main() -> int:
    """Run the command line; returns the exit status."""
    command, file, chosen = settings.load_command(sys.argv[1:], os.environ)
    logging.basicConfig(format="serve: %(message)s", level=logging.INFO)
    try:
        from serve import commands  # after the settings: --help need not wait for onnxruntime

        match command:
            case "check":
                return commands.check(chosen)
            case "predict":
                return commands.predict(chosen, file)
        return commands.serve(chosen)
    except StartError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
