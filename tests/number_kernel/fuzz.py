"""``python -m tests.number_kernel.fuzz``: give the kernel any bytes, under sanitizers.

It needs clang, with libFuzzer and the sanitizers (Debian's ``clang``). What was found before and
is kept in ``build/fuzz`` is begun with.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from random import Random

from tests.number_kernel import documents

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build/fuzz"
SOURCE = Path(__file__).with_suffix(".c")
OPTIONS = ("-std=gnu11", "-g", "-O1", "-fsanitize=fuzzer,address,undefined")
_WORDS = (
    '"0,0,0,0,"',
    '"0, 0, 0, 0, "',
    '"0.0,0.0,"',
    '"e-5"',
    '"[["',
    '"]]"',
    '"12345678"',
    '"1.5"',
)
_SEEDS = 500


def compile_harness(folder: Path) -> Path:
    """Compile the harness; returns the program.

    Raises:
        FileNotFoundError: there is no clang.
        subprocess.CalledProcessError: it failed.

    """
    program = folder / "fuzz"
    stop = "-fno-sanitize-recover=undefined"
    command = ["clang", *OPTIONS, stop, "-o", str(program), str(SOURCE), "-lm"]
    subprocess.run(command, check=True)
    return program


def prepare(folder: Path) -> list[str]:
    """Write what to begin with; returns the arguments that name it."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in range(_SEEDS):
        random = Random(seed)
        body = documents.write(random).body
        width = random.choice((4, 9, 12, 16)) - 1
        head = bytes([random.randrange(10), random.randrange(32), width, 255])
        (corpus / f"document-{seed}").write_bytes(head + body)
    words = folder / "words"
    words.write_text("\n".join(_WORDS))
    return [str(corpus), f"-dict={words}"]


def main() -> int:
    """Run the command; returns the exit status, of the fuzzer."""
    parser = argparse.ArgumentParser(prog="python -m tests.number_kernel.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        program = compile_harness(FOLDER)
    except FileNotFoundError:
        print("not fuzzed: there is no clang; on Debian: apt-get install clang", file=sys.stderr)
        return 0
    seconds = f"-max_total_time={chosen.seconds}"
    command = [str(program), *prepare(FOLDER), seconds, f"-artifact_prefix={FOLDER}/"]
    return subprocess.run([*command, "-print_final_stats=1"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
