"""An object store that speaks S3, for which moto stands in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from tests.conftest import ROOT, free_port
from tests.servers import other

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_MOTO = ROOT / "build/manifests/bin/moto_server"


@contextmanager
def running(bucket: str) -> Iterator[str]:
    """A store with an empty bucket, until the block ends; gives its address."""
    port = free_port()
    command = [str(_MOTO), "--host", "127.0.0.1", "--port", str(port)]
    with other.started(command, port, "/moto-api/") as address:
        client(address).create_bucket(Bucket=bucket)
        yield address


def client(address: str) -> Any:
    """boto3's client of the store."""
    return boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
    )
