"""Options of several commands: the model repository, aliases and keys."""

import argparse
from pathlib import Path


def alias(parser: argparse.ArgumentParser) -> None:
    """Which alias to assign."""
    parser.add_argument(
        "--alias", default="champion", metavar="NAME", help="(default: %(default)s)"
    )


def public_key(parser: argparse.ArgumentParser) -> None:
    """A key that the version must be signed with."""
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="public key (PEM, elliptic curve); the version must be signed with the private key",
    )


def models(parser: argparse.ArgumentParser) -> None:
    """Which model repository."""
    parser.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="the model repository (default: %(default)s)",
    )
