"""Write the image's bill of materials, as CycloneDX JSON.

``sbom.py PYTHON IMAGE``: what is installed for the interpreter PYTHON and has been taken into the
folder IMAGE, as ``cyclonedx-py`` finds it; and the Debian packages that root.py has listed there.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

DIST_INFO = "usr/local/lib/python3*/dist-packages/*.dist-info"
OPTIONS = ("--output-reproducible", "--output-format", "JSON")


def main(python: str, image: Path) -> None:
    """Make it, and write it in place of root.py's list."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", *OPTIONS, python]
    made = subprocess.run(command, capture_output=True, check=True)
    bom: dict[str, Any] = json.loads(made.stdout)
    taken = {_plain(path.name.split("-")[0]) for path in image.glob(DIST_INFO)}
    bom["components"] = [one for one in bom["components"] if _plain(one["name"]) in taken]
    bom["metadata"]["component"] = {"type": "application", "name": "onnxlet", "bom-ref": "onnxlet"}
    kept = {one["bom-ref"] for one in bom["components"]}
    bom["dependencies"] = [
        one | {"dependsOn": sorted(kept & {*one.get("dependsOn", ())})}
        for one in bom["dependencies"]
        if one["ref"] in kept
    ]
    folder = image / "usr/share/sbom"
    listed = folder / "debian"
    bom["components"] += [_debian(*line.split("=")) for line in listed.read_text().splitlines()]
    (folder / "onnxlet.cdx.json").write_text(json.dumps(bom, indent=1, sort_keys=True) + "\n")
    listed.unlink()


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def _debian(name: str, version: str, architecture: str) -> dict[str, str]:
    purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={architecture}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
