"""What an error of S3 means: absent, refused, passing, or final and then said in one sentence."""

import http.client
from collections.abc import Iterator

import aiohttp
import botocore.exceptions
from botocore.exceptions import ClientError, CredentialRetrievalError, NoCredentialsError, PartialCredentialsError
from botocore.parsers import ResponseParserError
from fsspec.exceptions import FSTimeoutError

from glan.errors import GlanError, InputError, StoreError

_PASSING_ERRORS = (
    botocore.exceptions.HTTPClientError,
    botocore.exceptions.ConnectionError,
    ResponseParserError,
    aiohttp.ClientError,
    http.client.HTTPException,
    TimeoutError,
    FSTimeoutError,
    ConnectionError,
)
_PASSING_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}
_PASSING_CODES = {"Throttling", "RequestTimeout", "IncompleteBody", "BadDigest", "XAmzContentSHA256Mismatch"}
_NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_SENTENCES = {
    "NoSuchBucket": "the bucket does not exist; create it or correct GLAN_STORE",
    "InvalidBucketName": "the bucket's name is not valid; correct GLAN_STORE",
    "AccessDenied": "access is denied; the credentials need to list, read, write and delete here",
    "403": "access is denied; the credentials need to list, read, write and delete here",
    "InvalidAccessKeyId": "the access key is not known there; check AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL",
    "SignatureDoesNotMatch": "the secret key is wrong; check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the credentials have expired; renew them",
    "InvalidToken": "the session token is not valid; check AWS_SESSION_TOKEN",
    "400": "the request was refused without a reason (400), as when credentials have expired; renew them",
    "XMinioStorageFull": "the store is full; make room",
    "507": "the store is full; make room",
    "RequestTimeTooSkewed": "this machine's clock is wrong; set it",
    "PermanentRedirect": "the bucket is in another region; set AWS_DEFAULT_REGION",
    "NotImplemented": "the server does not know conditional writes, which the store needs",
}
_SENTENCES_ON_INPUT = {
    "ProfileNotFound": "there is no profile of the name in AWS_PROFILE; correct it, or unset it",
    "InvalidRegionError": "AWS_DEFAULT_REGION is not the name of a region; correct it",
    "Invalid endpoint": "AWS_ENDPOINT_URL is no address; write it like https://s3.example.org, or unset it for AWS",
}
"""On what is seen before anything is sent."""


def is_absent(error: Exception) -> bool:
    """The object is not there (a missing bucket is another matter)."""
    return _status(error) == 404 and _code(error) != "NoSuchBucket"


def is_refused(error: Exception) -> bool:
    """A create-only PUT found something there: for s3fs a FileExistsError or, on SeaweedFS, an EINVAL over a 412."""
    return isinstance(error, FileExistsError) or _status(error) == 412


def is_empty(error: Exception) -> bool:
    """The end of an object without any bytes was asked for, which is no range."""
    return _status(error) == 416


def is_weather(error: Exception) -> bool:
    """Likely to pass by itself: the connection, the server's own fault, throttling, two writers at the same instant."""
    if _status(error):
        return _status(error) in _PASSING_STATUS or _code(error) in _PASSING_CODES
    return any(isinstance(cause, _PASSING_ERRORS) for cause in _chain(error))


def translated(error: Exception, url: str) -> GlanError:
    """A final error as one sentence, without anything secret: of the server's words only its error code is used."""
    if any(isinstance(cause, _NO_CREDENTIALS) for cause in _chain(error)):
        return StoreError(f"{url}: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile")
    code = _code(error) or type(error).__name__
    if str(error).startswith("Invalid endpoint"):  # a ValueError
        code = "Invalid endpoint"
    if code in _SENTENCES_ON_INPUT:
        return InputError(f"{url}: {_SENTENCES_ON_INPUT[code]}")
    reason = _SENTENCES.get(code) or f"the request was refused ({code})"
    return StoreError(f"{url}: {reason}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _client_error(error: Exception) -> ClientError | None:
    return next((cause for cause in _chain(error) if isinstance(cause, ClientError)), None)


def _code(error: Exception) -> str:
    found = _client_error(error)
    return str(found.response.get("Error", {}).get("Code", "")) if found else ""


def _status(error: Exception) -> int:
    found = _client_error(error)
    return int(found.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) if found else 0
