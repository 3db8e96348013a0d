"""Where Prefect keeps the receipts of tasks: as JSON in the project's own store, under `_receipts/`.

A receipt only lets Prefect show a unit as Cached. What is done is decided by the store's objects, so receipts may be
overwritten, lost or left unwritten.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import convert
from msgspec.structs import asdict
from prefect.context import FlowRunContext
from prefect.filesystems import WritableFileSystem
from prefect.serializers import JSONSerializer, prefect_json_object_decoder, prefect_json_object_encoder
from pydantic import Field, PrivateAttr

from glan.errors import StoreError
from glan.store.files import Files
from glan.units import Receipt

FOLDER = "_receipts"

SERIALIZER: JSONSerializer[Receipt] = JSONSerializer(
    object_encoder="tasks.receipts.as_json", object_decoder="tasks.receipts.from_json"
)


def as_json(value: Any) -> Any:
    """A receipt, or a task's exception, as a JSON value."""
    return {"receipt": asdict(value)} if isinstance(value, Receipt) else prefect_json_object_encoder(value)


def from_json(found: dict[str, Any]) -> Any:
    """The receipt or exception of such a value."""
    return convert(found["receipt"], Receipt) if "receipt" in found else prefect_json_object_decoder(found)


class ReceiptStorage(WritableFileSystem):
    """Prefect result storage over the store at `url`; credentials stay in the environment."""

    _block_type_name = "Receipts of glan"
    _block_type_slug = "glan-receipts"

    url: str = Field(description="the store: a local folder or s3://bucket/prefix")
    _opened: Files | None = PrivateAttr(default=None)

    def read_path(self, path: str, **_: Any) -> bytes:  # type: ignore[override]  # Prefect takes a plain method too
        """The receipt under this cache key.

        Raises:
            FileNotFoundError: there is none; Prefect runs the task then.
        """
        return self._files.read(_object(path))

    def write_path(self, path: str, content: bytes, **_: Any) -> None:  # type: ignore[override]
        """Keep a receipt. One that cannot be written is only logged, for its unit is committed and has not failed."""
        if "/" not in path:
            return  # not one of our cache keys: the exception of a failed task, under a random name, which nobody reads
        try:
            self._files.replace(_object(path), content)
        except StoreError as error:
            logging.getLogger("glan").warning("the receipt of %s was not written: %s", path, error)

    @property
    def _files(self) -> Files:
        # Opened at first use, so that a copy in another process opens its own.
        if self._opened is None:
            self._opened = Files.open(self.url)
        return self._opened

    def _resolve_path(self, path: str) -> None:
        """Asked by Prefect of storage its server does not know: a cache key is used as it is, not as a local path."""


@contextmanager
def receipts_in(url: str) -> Iterator[None]:
    """Inside a flow: the receipts of all tasks and sub-flows started in here are kept in the store at `url`.

    Tasks inherit the result store of the flow run around them. It is put there directly, because `result_storage=`
    takes only what has been saved on the Prefect server, and a saved copy could disagree with the settings.
    """
    flow_run = FlowRunContext.get()
    if flow_run is None:
        raise RuntimeError("receipts_in() belongs inside a flow")
    store = flow_run.result_store.model_copy(update={"result_storage": ReceiptStorage(url=url)})
    with flow_run.model_copy(update={"result_store": store}):
        yield


def _object(cache_key: str) -> str:
    return f"{FOLDER}/{cache_key}.json"
