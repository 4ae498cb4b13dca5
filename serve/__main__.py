"""``python -m serve``: serve published models; ``--help`` lists all options."""

import logging
import os
import sys

from serve import command_line, log_output
from serve.errors import StartError
from serve.protocols.number_kernel import library
from serve.settings import HttpServer
from serve.supervisor.supervisor import Supervisor

log = logging.getLogger("serve")


def main() -> int:
    """Run the command line; returns the exit status."""
    command, file, chosen = command_line.load_command(sys.argv[1:], os.environ)
    logging.basicConfig(handlers=[log_output.LogHandler()], level=logging.INFO)
    try:
        if command == "serve":
            kernel = library.read(library.FILE)
            if not kernel.loaded:
                log.warning("number kernel: %s; JSON takes longer to parse", kernel)
            if chosen.server is HttpServer.WAITRESS:
                from serve import (
                    waitress_server,  # here, for the supervisor does not need waitress
                )

                return waitress_server.run(chosen)
            status = Supervisor(chosen).run()
            print("ended", flush=True)
            return status
        if command == "health":
            from serve.health import health

            return health(chosen)
        from serve import commands  # not at the top: the supervisor needs no onnxruntime

        return commands.check(chosen) if command == "check" else commands.predict(chosen, file)
    except StartError as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
