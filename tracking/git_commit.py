"""The Git commit of the code, as a tag of a run."""

import os
import subprocess
from pathlib import Path

COMMIT_TAG = "mlflow.source.git.commit"  # which MLflow's pages show
DIRTY_TAG = "git_dirty"  # true if files had been changed


def tags() -> dict[str, str]:
    """The commit, and whether files had been changed."""
    if built_of := os.environ.get("ONNXLET_COMMIT"):  # an image has no git
        return {COMMIT_TAG: built_of}
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return {COMMIT_TAG: commit, DIRTY_TAG: str(bool(changed)).lower()}


def _git(*arguments: str) -> str:
    try:
        # Of the code, not of the folder that the data lies in.
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""  # no git, or not a checkout: the tag is left out
