"""Receipts: Prefect's results as readable JSON in our own store, never in the way of the work."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import asdict
from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner

from glan.store.files import Files
from glan.units import Receipt, Unit
from tasks.caching import unit_task
from tasks.receipts import ReceiptStorage, receipts_in
from tasks.wiring import Order

ORDER = Order(run_id="run", config_digest="")
UNIT = Unit(
    stage="syllabi",
    discipline_id="physics",
    address="physics-optics",
    key="ab" * 32,
    node="physics/optics",
    path=("Natural sciences", "Physical sciences", "Physics"),
)
RECEIPT = Receipt(
    stage="syllabi",
    discipline_id="physics",
    unit=UNIT.address,
    key=UNIT.key,
    object=UNIT.object,
    rows=1,
    sha256="0" * 64,
    planned=1,
    content_digest="c",
    cost_usd=None,
)


@unit_task("syllabi")
def write_syllabus(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    return RECEIPT


@unit_task("syllabi")
def break_down(unit: Unit, order: Order, done: Receipt | None = None) -> Receipt:
    raise ValueError("no syllabus today")


@flow(persist_result=False)
def discipline(works: bool) -> Any:
    task = write_syllabus if works else break_down
    return task.submit(UNIT, ORDER).result(raise_on_failure=False)


@flow(persist_result=False)
def parent(store: str, works: bool = True) -> Any:
    with receipts_in(store):
        return discipline(works)


def receipt_files(store: Path) -> list[Path]:
    return sorted(path.relative_to(store) for path in store.rglob("*") if path.is_file())


@pytest.mark.usefixtures("prefect_server")
class TestInsideAFlow:
    def test_a_task_of_a_sub_flow_leaves_its_receipt_as_json_in_the_store(self, tmp_path: Path) -> None:
        assert parent(str(tmp_path)) == RECEIPT
        [path] = receipt_files(tmp_path)
        assert str(path) == f"v1/_receipts/syllabi/physics/physics-optics-{UNIT.key}.json"
        kept = json.loads(json.loads((tmp_path / path).read_text())["result"])
        assert kept == {"receipt": asdict(RECEIPT)}

    def test_a_failed_task_leaves_no_receipt(self, tmp_path: Path) -> None:
        assert isinstance(parent(str(tmp_path), works=False), ValueError)
        assert receipt_files(tmp_path) == []

    def test_a_receipt_that_cannot_be_written_does_not_fail_its_unit(self, tmp_path: Path) -> None:
        (tmp_path / "v1").write_text("a file where the folder should be")
        assert parent(str(tmp_path)) == RECEIPT

    def test_a_damaged_receipt_is_made_anew(self, tmp_path: Path) -> None:
        parent(str(tmp_path))
        [path] = receipt_files(tmp_path)
        whole = (tmp_path / path).read_bytes()
        (tmp_path / path).write_bytes(whole[:20])
        assert parent(str(tmp_path)) == RECEIPT
        assert (tmp_path / path).read_bytes() == whole

    def test_receipts_reach_the_store_from_another_process(self, tmp_path: Path) -> None:
        @flow(persist_result=False, task_runner=ProcessPoolTaskRunner(max_workers=1))
        def elsewhere() -> Any:
            with receipts_in(str(tmp_path)):
                return write_syllabus.submit(UNIT, ORDER).result()

        assert elsewhere() == RECEIPT
        assert len(receipt_files(tmp_path)) == 1


def test_outside_a_flow_there_is_nowhere_to_put_receipts(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="inside a flow"), receipts_in(str(tmp_path)):
        pass


def test_storage_reads_back_what_it_wrote(tmp_path: Path) -> None:
    storage = ReceiptStorage(url=str(tmp_path))
    storage.write_path("answers/physics/physics-optics-ab", b"{}")
    assert storage.read_path("answers/physics/physics-optics-ab") == b"{}"
    assert Files.open(str(tmp_path)).read("_receipts/answers/physics/physics-optics-ab.json") == b"{}"
    with pytest.raises(FileNotFoundError):
        storage.read_path("answers/physics/physics-optics-cd")


def test_storage_holds_the_address_and_nothing_else(tmp_path: Path) -> None:
    assert set(ReceiptStorage.model_fields) == {"url"}
