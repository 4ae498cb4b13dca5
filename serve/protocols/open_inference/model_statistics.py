"""Triton's statistics extension (extension_statistics.md), from the metrics of all workers."""

from collections.abc import Iterable
from typing import Any

from prometheus_client.samples import Sample

from serve.models.spec import ModelSpec

STEPS = ("queue", "parse", "infer", "render")
"""Their names in the metrics; in Triton queue, compute_input, compute_infer, compute_output."""
_TRITONS = ("queue", "compute_input", "compute_infer", "compute_output")


def statistics(model_specs: Iterable[ModelSpec], samples: Iterable[Sample]) -> dict[str, Any]:
    """The statistics of versions since the server started, over all workers.

    Args:
        model_specs: of the versions.
        samples: of the metrics.

    """
    known = {model_spec.id: _Sums() for model_spec in model_specs}
    for sample in samples:
        sums = known.get((sample.labels.get("model", ""), sample.labels.get("version", "")))
        if sums is not None:
            sums.add(sample)
    return {"model_stats": [sums.document(*names) for names, sums in known.items()]}


class _Sums:
    """The statistics of one version."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}
        self._good = 0
        self._bad = 0

    def add(self, sample: Sample) -> None:
        """Add a sample of this version."""
        if sample.name == "onnxlet_requests_total":
            if sample.labels["status"] == "200":
                self._good += int(sample.value)
            else:
                self._bad += int(sample.value)
        elif sample.name == "onnxlet_step_seconds_total":
            self._values[sample.labels["step"]] = sample.value
        else:
            self._values[sample.name] = sample.value

    def document(self, name: str, version: str) -> dict[str, Any]:
        """In the form of the extension: durations in nanoseconds, times in milliseconds."""
        values = self._values
        nothing = _duration(0, 0)
        steps = {
            triton: _duration(self._good, values.get(step, 0))
            for triton, step in zip(_TRITONS, STEPS, strict=True)
        }
        return {
            "name": name,
            "version": version,
            "last_inference": int(values.get("onnxlet_last_inference_timestamp_seconds", 0) * 1000),
            "inference_count": int(values.get("onnxlet_rows_total", 0)),
            "execution_count": int(values.get("onnxlet_batch_rows_count", 0)),
            "inference_stats": {
                "success": _duration(self._good, sum(values.get(step, 0) for step in STEPS)),
                "fail": _duration(self._bad, values.get("failed", 0)),
                **steps,
                "cache_hit": nothing,
                "cache_miss": nothing,
            },
            "batch_stats": [],
        }


def _duration(count: int, seconds: float) -> dict[str, int]:
    return {"count": count, "ns": int(seconds * 1e9)}
