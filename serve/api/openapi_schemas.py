"""The bodies of requests and answers, as JSON Schemas; ``openapi`` says where each is used."""

from typing import Any

from bundle.features import KINDS
from bundle.manifest import TASKS

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to one of ``SCHEMAS``."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: str = "", **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return schema | {"required": required.split()} if required else schema


def _array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer"}
_FLAG: Schema = {"type": "boolean"}
_ANY: Schema = {}
_CELL: Schema = {"type": ["number", "string", "boolean", "null"]}
_SIZES = _array(_WHOLE)
_DURATION = _object("count ns", count=_WHOLE, ns=_WHOLE)
_STEPS = "success fail queue compute_input compute_infer compute_output cache_hit cache_miss"
_ROWS = _array(ref("Values"), minItems=1)
_DATATYPE: Schema = {
    "enum": ["BOOL", "BYTES", "FP16", "FP32", "FP64"]
    + [f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
}
_RANGE: Schema = _array({"type": "number"}, minItems=2, maxItems=2)
_TENSOR = _object("name datatype shape", name=_TEXT, datatype=_DATATYPE, shape=_SIZES, range=_RANGE)
_DATA = _object(
    "name datatype shape",
    name=_TEXT,
    datatype=_DATATYPE,
    shape=_SIZES,
    data=_array(ref("Values")),
    parameters=_object(binary_data_size=_WHOLE),
)
_FEATURE = _object(
    "name kind",
    name=_TEXT,
    kind={"enum": [*KINDS]},
    range=_RANGE,
    limits=_array({"type": ["number", "null"]}, minItems=2, maxItems=2),
    values=_array(_TEXT),
    accepts_missing=_FLAG,
    accepts_unknown=_FLAG,
)
_STATE = _object(
    "version state status",
    version=_TEXT,
    state={"enum": ["AVAILABLE", "END"]},
    status=_object("error_code error_message", error_code=_TEXT, error_message=_TEXT),
)
_SIGNATURE_TENSOR = _object(
    "dtype tensor_shape name",
    dtype=_TEXT,
    tensor_shape=_object(
        "dim unknown_rank",
        dim=_array(_object("size name", size=_TEXT, name=_TEXT)),
        unknown_rank=_FLAG,
    ),
    name=_TEXT,
)

SCHEMAS: dict[str, Schema] = {
    "Values": {
        "description": "Arrays, as many in each, of numbers, or of texts, true, false and null.",
        "anyOf": [_CELL, _array(ref("Values"))],
    },
    "Compact": _object(
        "b64 dtype shape",
        b64={"type": "string", "contentEncoding": "base64"},
        dtype=_TEXT,
        shape=_SIZES,
    ),
    "Image": {
        "description": "Flat, or nested as a square, or compact.",
        "anyOf": [_array(ref("Values")), ref("Compact")],
    },
    "Row": {
        "description": "Of a table: values by the names of columns, or in their order.",
        "anyOf": [{"type": "object"}, _array(_CELL)],
    },
    "PredictRequest": {
        "oneOf": [
            _object("rows", rows=_array(ref("Row"), minItems=1), columns=_array(_TEXT)),
            _object("image", image=ref("Image")),
            _object("images", images={"anyOf": [_array(ref("Image")), ref("Compact")]}),
        ]
    },
    "PredictAnswer": {
        "oneOf": [
            _object(
                "prediction",
                prediction={"type": "number"},
                probabilities=_array(_array({"type": "number"})),
                label=_TEXT,
            ),
            _object(
                "predictions model version",
                predictions=_array({"type": "number"}),
                probabilities=_array(_array({"type": "number"})),
                labels=_array(_TEXT),
                model=_TEXT,
                version=_WHOLE,
            ),
        ]
    },
    "InferRequest": _object(
        "inputs",
        id=_TEXT,
        parameters=_object(binary_data_output=_FLAG),
        inputs=_array(_DATA),
        outputs=_array(_object("name", name=_TEXT, parameters=_object(binary_data=_FLAG))),
    ),
    "InferAnswer": _object(
        "model_name model_version outputs",
        model_name=_TEXT,
        model_version=_TEXT,
        id=_TEXT,
        outputs=_array(_DATA),
    ),
    "TfservingRequest": {
        "oneOf": [
            _object("instances", instances=_array(_ANY, minItems=1), signature_name=_TEXT),
            _object("inputs", inputs=_ANY, signature_name=_TEXT),
        ]
    },
    "TfservingAnswer": {
        "oneOf": [
            _object("predictions", predictions=_array(_ANY)),
            _object("outputs", outputs=_ANY),
        ]
    },
    "InvocationsRequest": {
        "oneOf": [
            _object("inputs", inputs=_ANY, params={"type": "object"}),
            _object("instances", instances=_array(_ANY, minItems=1), params={"type": "object"}),
            _object(
                "dataframe_split",
                dataframe_split=_object(
                    "columns data",
                    columns=_array(_ANY),
                    index=_array(_ANY),
                    data=_array(_array(_ANY)),
                ),
                params={"type": "object"},
            ),
            _object(
                "dataframe_records",
                dataframe_records=_array({"type": "object"}, minItems=1),
                params={"type": "object"},
            ),
        ]
    },
    "InvocationsAnswer": _object("predictions", predictions=_ANY),
    "Error": _object("error", error=_TEXT),
    "MlflowError": _object("error_code message", error_code=_TEXT, message=_TEXT),
    "Live": _object("live", live=_FLAG),
    "Ready": _object("ready", ready=_FLAG),
    "ModelReady": _object("name ready", name=_TEXT, ready=_FLAG),
    "ServerMetadata": _object(
        "name version extensions", name=_TEXT, version=_TEXT, extensions=_array(_TEXT)
    ),
    "ModelMetadata": _object(
        "name versions platform inputs outputs size_bytes",
        name=_TEXT,
        versions=_array(_TEXT),
        platform=_TEXT,
        inputs=_array(_TENSOR),
        outputs=_array(_TENSOR),
        size_bytes=_WHOLE,
        labels=_array(_TEXT),
        task={"enum": [*TASKS]},
        features=_array(_FEATURE),
        provenance={"type": "object"},
    ),
    "Example": ref("InferRequest"),
    "ModelConfig": _object(
        "name platform backend max_batch_size input output",
        name=_TEXT,
        platform=_TEXT,
        backend=_TEXT,
        max_batch_size=_WHOLE,
        input=_array(_object("name data_type dims", name=_TEXT, data_type=_TEXT, dims=_SIZES)),
        output=_array(_object("name data_type dims", name=_TEXT, data_type=_TEXT, dims=_SIZES)),
        default_model_filename=_TEXT,
    ),
    "Statistics": _object(
        "model_stats",
        model_stats=_array(
            _object(
                "name version last_inference inference_count execution_count inference_stats",
                name=_TEXT,
                version=_TEXT,
                last_inference=_WHOLE,
                inference_count=_WHOLE,
                execution_count=_WHOLE,
                inference_stats=_object(_STEPS, **dict.fromkeys(_STEPS.split(), _DURATION)),
                batch_stats=_array(_ANY),
            )
        ),
    ),
    "Openapi": {"type": "object"},
    "RepositoryIndex": _array(
        _object(
            "name version state reason",
            name=_TEXT,
            version=_TEXT,
            state={"enum": ["READY", "UNAVAILABLE"]},
            reason=_TEXT,
        )
    ),
    "ModelChange": _object(
        parameters=_object(unload_dependents=_FLAG) | {"additionalProperties": False}
    ),
    "Load": _object(),
    "Unload": _object(),
    "Models": _object("models", models=_array(_TEXT)),
    "ModelStatus": _object(
        "name ready model_version_status",
        name=_TEXT,
        ready=_FLAG,
        model_version_status=_array(_STATE),
    ),
    "ModelSignature": _object(
        "model_spec metadata",
        model_spec=_object(
            "name signature_name version", name=_TEXT, signature_name=_TEXT, version=_TEXT
        ),
        metadata=_object(
            "signature_def",
            signature_def=_object(
                "signature_def",
                signature_def=_object(
                    "serving_default",
                    serving_default=_object(
                        "inputs outputs method_name",
                        inputs={"type": "object", "additionalProperties": _SIGNATURE_TENSOR},
                        outputs={"type": "object", "additionalProperties": _SIGNATURE_TENSOR},
                        method_name=_TEXT,
                    ),
                ),
            ),
        ),
    ),
}
