"""Files in an S3 bucket: conditional PUTs through s3fs, with this module's own retries and plain errors."""

import datetime
import functools
import io
import os
import random
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast
from uuid import uuid4

import pyarrow as pa
import s3fs
from aiobotocore.session import AioSession
from fsspec.asyn import sync

from glan.checks import is_http_address
from glan.errors import InputError, StoreError, StoreWeather
from glan.store.files import LAYOUT, Entry, Files, checked
from glan.store.s3_errors import is_absent, is_empty, is_refused, is_weather, translated

_TAIL_BYTES = 1 << 20
_WRITER = "glan-write"  # metadata of each object: which create() wrote it
_CONNECTION = {
    "connect_timeout": 10,
    "read_timeout": 20,
    "max_pool_connections": 32,
    "retries": {"total_max_attempts": 1},  # retried here and nowhere else
}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
Answer = TypeVar("Answer")


class S3Files(Files):
    """See `Files`. A request is tried `tries` times within a minute, with growing pauses (seconds)."""

    def __init__(self, url: str, *, tries: int = 8, first_pause: float = 0.25, longest_pause: float = 8.0) -> None:
        self._bucket, prefix = _parts_of(url)
        _check_endpoint()
        self._root = f"{prefix}/{LAYOUT}" if prefix else LAYOUT
        self.url = f"s3://{self._bucket}/{prefix}".rstrip("/")
        self._tries, self._first_pause, self._longest_pause = tries, first_pause, longest_pause
        self._s3 = s3fs.S3FileSystem(
            use_listings_cache=False, skip_instance_cache=True, config_kwargs=_CONNECTION, session=_session()
        )
        self._s3.retries = 1

    def create(self, path: str, body: bytes) -> bool:
        key, mark = self._key(path), uuid4().hex

        async def put() -> bool:
            try:
                await self._put(key, body, mode="create", Metadata={_WRITER: mark})
            except OSError as error:
                if not is_refused(error):
                    raise
                # The object may be our own: it was stored, but the answer was lost and the request sent again.
                head = await self._s3._call_s3("head_object", Bucket=self._bucket, Key=key)
                return bool(head["Metadata"].get(_WRITER) == mark)
            return True

        return self._patiently(put, path, writes=True)

    def replace(self, path: str, body: bytes) -> None:
        key = self._key(path)
        self._patiently(lambda: self._put(key, body), path, writes=True)

    def read(self, path: str) -> bytes:
        return self._get(path)[0]

    def open_input(self, path: str) -> pa.NativeFile:
        # One request brings the size and the end, where Parquet keeps its footer; small objects are whole already.
        tail, size = self._get(path, f"bytes=-{_TAIL_BYTES}")
        if len(tail) == size:
            return pa.BufferReader(tail)
        return pa.PythonFile(_Ranged(tail, size, lambda start, stop: self._get(path, f"bytes={start}-{stop - 1}")[0]))

    def exists(self, path: str) -> bool:
        key = self._key(path)
        try:
            self._patiently(lambda: self._s3._call_s3("head_object", Bucket=self._bucket, Key=key), path)
        except FileNotFoundError:
            return False
        return True

    def list(self, prefix: str) -> list[Entry]:
        folder = self._key(prefix.rstrip("/")) if prefix else self._root
        entries: list[Entry] = []
        query = {"Bucket": self._bucket, "Prefix": f"{folder}/"}
        while True:
            page = self._patiently(lambda: self._s3._call_s3("list_objects_v2", **query), prefix)
            # SeaweedFS lists folders that have become empty as keys that end in a slash.
            entries += [self._entry(item) for item in page.get("Contents", []) if not item["Key"].endswith("/")]
            if not page.get("IsTruncated"):
                return sorted(entries, key=lambda entry: entry.path)
            query["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, path: str) -> None:
        key = self._key(path)
        self._patiently(lambda: self._s3._call_s3("delete_object", Bucket=self._bucket, Key=key), path)

    def _key(self, path: str) -> str:
        return f"{self._root}/{checked(path)}"

    def _entry(self, item: dict[str, Any]) -> Entry:
        return Entry(
            item["Key"].removeprefix(f"{self._root}/"), item["Size"], item["LastModified"].astimezone(datetime.UTC)
        )

    def _put(self, key: str, body: bytes, **options: Any) -> Awaitable[Any]:
        return cast(Awaitable[Any], self._s3._pipe_file(f"{self._bucket}/{key}", body, **options))

    def _get(self, path: str, wanted: str | None = None) -> tuple[bytes, int]:
        """The bytes of a range (all without one), and the size of the whole object."""
        query = {"Bucket": self._bucket, "Key": self._key(path), **({"Range": wanted} if wanted else {})}

        async def get() -> tuple[bytes, int]:
            try:
                answer = await self._s3._call_s3("get_object", **query)
            except OSError as error:
                if is_empty(error):
                    return b"", 0
                raise
            async with answer["Body"] as body:
                content = await body.read()
            _, _, total = answer.get("ContentRange", "").rpartition("/")
            return content, int(total or len(content))

        return self._patiently(get, path)

    def _patiently(self, request: Callable[[], Awaitable[Answer]], path: str, writes: bool = False) -> Answer:
        """Send a request until it is answered, refused for good, or the patience is spent.

        One that `writes` needs no object to be there: a 404 is of something before the store that is starting.
        """
        give_up = time.monotonic() + 60
        for remaining in reversed(range(self._tries)):
            try:
                return cast(Answer, sync(self._s3.loop, request))
            except Exception as error:
                absent = is_absent(error)
                if absent and not writes:
                    raise FileNotFoundError(f"{self.url}/{LAYOUT}/{path} is not there") from error
                if not absent and not is_weather(error):
                    raise translated(error, self.url) from error
                if not remaining or time.monotonic() > give_up:
                    raise StoreWeather(
                        f"{self.url} does not answer or is overloaded ({type(error).__name__}); try again later"
                    ) from error
                time.sleep(self._pause(self._tries - 1 - remaining))
        raise AssertionError("a request is tried at least once")

    def _pause(self, failures: int) -> float:
        return random.uniform(0.5, 1) * min(self._first_pause * 2.0**failures, self._longest_pause)


class _Ranged(io.RawIOBase):
    """An object of which the end is in memory and the rest is fetched by range as it is read."""

    def __init__(self, tail: bytes, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._tail, self._size, self._fetch, self._position = tail, size, fetch, 0
        self._lock = threading.Lock()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        start = min(self._position, self._size)
        stop = min(start + len(buffer), self._size)
        in_memory = self._size - len(self._tail)
        content = self._tail[start - in_memory : stop - in_memory] if start >= in_memory else self._fetch(start, stop)
        buffer[: len(content)] = content
        self._position = start + len(content)
        return len(content)


def _check_endpoint() -> None:
    """See that the endpoint that is set is an address: to a client a wrong port looks like a server that is down."""
    for name in _ENDPOINTS:
        if (given := os.environ.get(name)) and not is_http_address(given):
            raise InputError(f"{name} is no address; write it like https://s3.example.org, or unset it for AWS")


def _parts_of(url: str) -> tuple[str, str]:
    """Bucket and prefix; the URL is never quoted, for someone may have put a secret into it."""
    bucket, _, prefix = url.removeprefix("s3://").strip("/").partition("/")
    if not bucket or not set(bucket) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-"):
        raise InputError("the store must be s3://bucket or s3://bucket/prefix; credentials belong into AWS_* variables")
    try:
        return bucket, checked(prefix) if prefix else ""
    except StoreError as error:
        raise InputError(f"the store's address s3://{bucket}/…: {error}; correct GLAN_STORE") from error


def _session() -> AioSession:
    session = AioSession()
    session.register_component("data_loader", _descriptions())
    return session


@functools.cache
def _descriptions() -> Any:
    """What botocore knows of S3, which is 30 MB in memory: once for all stores that a process opens."""
    return AioSession().get_component("data_loader")
