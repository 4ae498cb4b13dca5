"""Options that do not fit the data."""

from train.data.dataset import Dataset
from train.errors import TrainError
from train.run_options import Options


def check(options: Options, dataset: Dataset) -> None:
    """Check that options fit the data set.

    Raises:
        TrainError: one does not.

    """
    if options.augment and dataset.is_table:
        raise TrainError(
            f"--augment changes images, and {dataset.name} is a table; add --no-augment"
        )
    for name in ("filters", "start"):
        if getattr(options, name) and dataset.is_table:
            raise TrainError(f"--{name} is for images, and {dataset.name} is a table")
    if dataset.task == "regression":
        for option, is_set in (
            ("--teacher", options.teacher),
            ("--label-smoothing", options.label_smoothing),
            ("--class-weights", options.class_weights != "none"),
        ):
            if is_set:
                raise TrainError(
                    f"{option} is for classes, and {dataset.name} has none: its task is regression"
                )
