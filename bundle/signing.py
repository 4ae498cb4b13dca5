"""``model.sig``: who vouches for a version's files, in the format of OpenSSF model signing.

A Sigstore bundle whose DSSE envelope holds an in-toto statement: the SHA-256 of every file.
Specification: https://github.com/sigstore/model-transparency. This verifies what was signed with
a key; ``export.versions.sign`` writes it with the reference library, which is 50 MB with what it
needs.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecdsa import VerifyingKey
from ecdsa.der import UnexpectedDER
from ecdsa.errors import MalformedPointError
from ecdsa.keys import BadSignatureError
from ecdsa.util import sigdecode_der

from bundle.errors import BundleError
from bundle.layout import SIGNATURE_FILE

_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
# By the name of the key's curve, as ``model_signing`` pairs them.
_HASHES: Mapping[str, Any] = {
    "NIST256p": hashlib.sha256,
    "NIST384p": hashlib.sha384,
    "NIST521p": hashlib.sha512,
}


def signed_files(folder: Path, key_file: Path) -> dict[str, str]:
    """SHA-256 of each file of a version, by its name, as the owner of the key signed them.

    Args:
        folder: of the version.
        key_file: the public key, PEM, on the curve P-256, P-384 or P-521.

    Raises:
        BundleError: it is not signed, or not with that key, or the key is none.

    """
    key = _key(key_file)
    path = folder / SIGNATURE_FILE
    try:
        envelope = json.loads(path.read_bytes())["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        (signature,) = envelope["signatures"]
        signed = base64.b64decode(signature["sig"], validate=True)
        kind = str(envelope["payloadType"])
        key.verify(signed, _encoded(kind, payload), _HASHES[key.curve.name], sigdecode_der)
        return _digests(kind, json.loads(payload))
    except FileNotFoundError:
        raise BundleError(f"{path}: missing; the version is not signed") from None
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from None
    except BadSignatureError:
        raise BundleError(f"{path}: was not made with the key of {key_file}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleError(f"{path}: not a signature of a model: {error!r}") from None


def _key(key_file: Path) -> VerifyingKey:
    try:
        key = VerifyingKey.from_pem(key_file.read_text())
        if key.curve.name in _HASHES:
            return key
        reason = f"its curve is {key.curve.name}"
    except OSError as error:
        reason = f"{error.strerror}"
    except (ValueError, IndexError, TypeError, UnexpectedDER, MalformedPointError) as error:
        reason = str(error)
    raise BundleError(
        f"{key_file}: not a public key in PEM on the curve P-256, P-384 or P-521: {reason}"
    )


def _encoded(kind: str, payload: bytes) -> bytes:
    """What DSSE signs, its pre-authentication encoding (secure-systems-lab/dsse, protocol.md)."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def _digests(kind: str, statement: dict[str, Any]) -> dict[str, str]:
    predicate = statement["predicate"]
    for name, value, expected in (
        ("payload type", kind, _PAYLOAD_TYPE),
        ("statement", statement["_type"], _STATEMENT),
        ("predicate", statement["predicateType"], _PREDICATE),
        ("method", predicate["serialization"]["method"], "files"),
    ):
        if value != expected:
            raise ValueError(f"its {name} is {value!r}, not {expected!r}")
    resources = predicate["resources"]
    if any(resource["algorithm"] != "sha256" for resource in resources):
        raise ValueError("its digests are not of SHA-256")
    return {str(resource["name"]): str(resource["digest"]) for resource in resources}
