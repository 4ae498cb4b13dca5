"""The locked requirements: in step with pyproject.toml and with each other, and portable."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

import serve
from tests.conftest import ROOT

GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
# In one environment, or in parts of it:
TOGETHER = ("dev", "serve", "train", "export", "cluster", "pytest", "load")
HASHED = (*TOGETHER, "fuzz", "sbom", "uv")
PEERS = [name for name in GROUPS if name.startswith("peer-")]
LOCKED = (*HASHED, "audit", "clients", "manifests", "mlserver", *PEERS)


def lock(name: str) -> str:
    return (ROOT / f"requirements/{name}.txt").read_text()


def pins(name: str) -> dict[str, Requirement]:
    lines = re.findall(r"^([a-z0-9][^\\\n]*?) *\\?$", lock(name), re.MULTILINE)
    found = [Requirement(line) for line in lines]
    return {requirement.name: requirement for requirement in found}


@pytest.mark.parametrize("group", [name for name in LOCKED if name != "dev"])
def test_every_requirement_is_locked_within_its_bounds(group: str) -> None:
    for direct in map(Requirement, GROUPS[group]):
        (pin,) = pins(group)[direct.name].specifier
        assert pin.operator == "=="
        assert direct.specifier.contains(pin.version), direct.name


@pytest.mark.parametrize("group", [name for name in TOGETHER if name != "dev"])
def test_all_parts_use_the_same_versions(group: str) -> None:
    everything = pins("dev")
    for name, pin in pins(group).items():
        assert pin.specifier == everything[name].specifier, name


@pytest.mark.parametrize("group", LOCKED)
def test_every_pin_names_no_place_and_has_hashes_where_users_run_it(group: str) -> None:
    text = lock(group)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(group)) > 0
    assert all(("--hash=sha256:" in block) == (group in HASHED) for block in blocks)
    assert not re.search(r"://|--index|--find-links|@ ", text)


def test_every_lock_has_a_group() -> None:
    assert {path.stem for path in (ROOT / "requirements").glob("*.txt")} == {*LOCKED}


def test_the_server_names_the_version_that_the_project_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert serve.__version__ == project["version"]
