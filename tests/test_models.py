"""The models that the tests of serve need, made here: the serving environment can't make them."""

from pathlib import Path


def test_each_repository_has_its_models(
    repository: Path, slow_repository: Path, other_repository: Path, swapped_repository: Path
) -> None:
    for folder in (repository, slow_repository, other_repository, swapped_repository):
        graphs = list(folder.glob("*/*/model.onnx"))
        assert graphs
        assert all(path.stat().st_size > 0 for path in graphs)
