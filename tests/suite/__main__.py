"""``python3 -m tests.suite``: run all tests, or the groups that are named."""

import argparse
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from tests.images import docker
from tests.suite import groups, programs, summary
from tests.suite.groups import ROOT
from tests.suite.programs import MissingError
from tests.suite.summary import Result

_KERNEL = "serve/protocols/number_kernel/kernel.so"
_ENVIRONMENTS = {
    "development": (
        *(".venv-serve/.installed", "build/clients/.installed", "build/manifests/.installed"),
        _KERNEL,
    ),
    "serving": ("build/serve-tests/.installed", _KERNEL),
    "images": ("build/clients/.installed",),
}


def main() -> int:
    """Run the command line; returns the exit status."""
    chosen = _chosen()
    # Tests send these signals, and children ignore what is ignored here: under nohup, for example.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        programs.require(programs.ALL)
        if "images" in chosen:
            docker.require()
        _set_up(chosen)
    except MissingError as error:
        print(f"make test: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"make test: {' '.join(error.cmd)} failed", file=sys.stderr)
        return 2
    results = _run(chosen)
    print("", summary.told(results), sep="\n")
    return int(any(result.status for result in results))


def _chosen() -> list[str]:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.suite",
        description="Set up everything that the tests need, run them, and sum up how they ended.",
    )
    parser.add_argument(
        "groups",
        nargs="*",
        metavar="GROUP",
        help=f"what to run: {', '.join(groups.ALL)} (default: all)",
    )
    named: list[str] = parser.parse_args().groups
    for name in named:
        if name not in groups.ALL:
            parser.error(f"there is no group {name}: choose from {', '.join(groups.ALL)}")
    return named or list(groups.ALL)


def _set_up(chosen: Sequence[str]) -> None:
    """Make the environments; the models that the tests share shall come from the code as it is."""
    wanted = {".venv/.installed-dev"}.union(*(_ENVIRONMENTS[name] for name in chosen))
    if "development" in chosen and _has_python_for_mlserver():
        wanted.add("build/mlserver/.installed")
    subprocess.run(["make", "--no-print-directory", *sorted(wanted)], cwd=ROOT, check=True)
    shutil.rmtree(ROOT / groups.MODELS, ignore_errors=True)


def _has_python_for_mlserver() -> bool:
    """MLServer has no release for Python 3.13; where there is no older one, its test is skipped."""
    find = ["requirements/uv", "python", "find", "--no-python-downloads", ">=3.11,<3.13"]
    return subprocess.run(find, cwd=ROOT, capture_output=True, check=False).returncode == 0


def _run(chosen: Sequence[str]) -> list[Result]:
    """Run the images' tests beside the others, which come one after another."""
    beside = ["images"] if len(chosen) > 1 and "images" in chosen else []
    running = [groups.ALL[name].start(in_background=True) for name in beside]
    models = [".venv/bin/python", "-m", "tests.models.shared", str(groups.MODELS)]
    subprocess.run(models, cwd=ROOT, check=False)  # the serving environment could not make them
    results = []
    for name in chosen:
        if name not in beside:
            started = groups.ALL[name].start(in_background=False)
            results.append(Result(started.group, started.wait()))
    results += [Result(started.group, started.wait()) for started in running]
    return results


if __name__ == "__main__":
    sys.exit(main())
