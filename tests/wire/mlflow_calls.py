"""MLflow's builder of scoring requests, and its client for served models."""

import json
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
import requests
from mlflow.deployments import PredictionsResponse
from mlflow.models import convert_input_example_to_serving_input
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from tests.models.people import PEOPLE_ROWS, probabilities
from tests.wire.calls import Target, main


def client(target: Target) -> ScoringServerClient:
    parts = urlsplit(target.url)
    return ScoringServerClient(parts.hostname, parts.port)


def check(target: Target, answer: PredictionsResponse) -> None:
    predictions = answer.get_predictions()
    assert predictions.shape == (4, 10)
    assert tuple(predictions.to_numpy().argmax(axis=1)) == target.digits


def frame(target: Target) -> pd.DataFrame:
    return pd.DataFrame(target.images, columns=[f"pixel {n}" for n in range(784)])


def ping(target: Target) -> None:
    client(target).ping()


def version(target: Target) -> None:
    assert client(target).get_version().split(".")[0].isdecimal()


def invoke_array(target: Target) -> None:
    check(target, client(target).invoke(target.images))


def invoke_frame(target: Target) -> None:
    check(target, client(target).invoke(frame(target)))


def invoke_params(target: Target) -> None:
    check(target, client(target).invoke(target.images, params={"anything": 1}))


def built(target: Target) -> None:
    """Bodies that ``convert_input_example_to_serving_input`` makes."""
    for example in (target.images, {"image": target.images}, frame(target)):
        body = convert_input_example_to_serving_input(example)
        headers = {"Content-Type": "application/json"}
        response = requests.post(f"{target.url}/invocations", body, headers=headers, timeout=30)
        assert response.status_code == 200, response.text
        check(target, PredictionsResponse.from_json(response.text))


def records(target: Target) -> None:
    document = {"dataframe_records": frame(target).to_dict(orient="records")}
    response = requests.post(f"{target.url}/invocations", json=document, timeout=30)
    check(target, PredictionsResponse.from_json(response.text))


def csv(target: Target) -> None:
    response = requests.post(
        f"{target.url}/invocations",
        frame(target).to_csv(index=False),
        headers={"Content-Type": "text/csv"},
        timeout=30,
    )
    check(target, PredictionsResponse.from_json(response.text))


def table(target: Target) -> None:
    """Numbers, texts and missing values, by the names of their columns."""
    people = pd.DataFrame(
        {
            "job": ["admin", "nurse", "other, [none]"],
            "paid": [True, False, None],
            "age": [39, 20, 65],
        }
    )
    documents = [
        convert_input_example_to_serving_input(people),
        json.dumps({"dataframe_records": people.to_dict(orient="records")}),
        people.to_csv(index=False),
    ]
    for body, kind in zip(documents, ("application/json",) * 2 + ("text/csv",), strict=True):
        response = requests.post(
            f"{target.url}/invocations?model=people",
            body.encode(),
            headers={"Content-Type": kind},
            timeout=30,
        )
        assert response.status_code == 200, response.text
        found = PredictionsResponse.from_json(response.text).get_predictions().to_numpy()
        np.testing.assert_allclose(found, probabilities(PEOPLE_ROWS), atol=1e-6)


def errors(target: Target) -> None:
    with pytest.raises(Exception, match=r"error code 400.*BAD_REQUEST"):
        client(target).invoke(np.zeros((1, 3)))


main(
    {
        "ScoringServerClient.ping": ping,
        "ScoringServerClient.get_version": version,
        "ScoringServerClient.invoke, an array": invoke_array,
        "ScoringServerClient.invoke, a data frame": invoke_frame,
        "ScoringServerClient.invoke, params": invoke_params,
        "convert_input_example_to_serving_input": built,
        "dataframe_records": records,
        "text/csv": csv,
        "a data frame with texts and missing values": table,
        "errors": errors,
    }
)
