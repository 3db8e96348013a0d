"""Leases: who works on a discipline, for as long as it lives and not much longer."""

import datetime
from pathlib import Path

import pytest
from tiny_store import new_store

from glan.errors import StoreWeather
from glan.store.files import Files
from glan.store.leases import LASTS, RENEWED_EVERY, Holder, Leases
from glan.store.local import LocalFiles


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)

    def __call__(self) -> datetime.datetime:
        return self.now


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return new_store(str(tmp_path / "store")).files


def leases(files: Files, clock: Clock, run_id: str, host: str = "one", alive: bool = True) -> Leases:
    return Leases(files, Holder(run_id=run_id, host=host, process=7), clock, lambda process: alive)


def test_a_second_run_is_told_who_has_the_lease_until_it_is_given_back(files: Files) -> None:
    clock = Clock()
    first, second = leases(files, clock, "a"), leases(files, clock, "b")
    assert first.take("physics") is None
    other = second.take("physics")
    assert other is not None and other.run_id == "a"
    assert second.take("law") is None
    first.release("physics")
    assert second.take("physics") is None


def test_a_lease_lapses_unless_it_is_renewed(files: Files) -> None:
    clock = Clock()
    first, second = leases(files, clock, "a"), leases(files, clock, "b")
    first.take("physics")
    for _ in range(10):
        clock.now += RENEWED_EVERY
        first.renew()
    assert second.take("physics") is not None
    clock.now += LASTS
    assert second.take("physics") is None
    first.release("physics")  # which is not its own any more
    assert leases(files, clock, "c").take("physics") is not None


def test_a_clock_that_is_ahead_holds_a_lease_only_while_it_is_renewed(files: Files) -> None:
    ahead, clock = Clock(), Clock()
    ahead.now += datetime.timedelta(hours=3)
    first, second = leases(files, ahead, "a"), leases(files, clock, "b")
    first.take("physics")
    for _ in range(20):
        ahead.now, clock.now = ahead.now + RENEWED_EVERY, clock.now + RENEWED_EVERY
        first.renew()
        assert second.take("physics") is not None
    for _ in range(10):  # its run is gone
        clock.now += RENEWED_EVERY
        taken = second.take("physics") is None
    assert taken


def test_the_lease_of_a_dead_process_of_this_machine_lapses_at_once(files: Files) -> None:
    clock = Clock()
    leases(files, clock, "a").take("physics")
    assert leases(files, clock, "b", host="another", alive=False).take("physics") is not None
    assert leases(files, clock, "b", alive=False).take("physics") is None


def test_a_run_that_is_tried_again_has_its_own_lease_still(files: Files) -> None:
    clock = Clock()
    leases(files, clock, "a").take("physics")
    assert leases(files, clock, "a").take("physics") is None


def test_a_lease_that_nobody_can_read_holds_nobody_up(files: Files) -> None:
    files.replace("_leases/physics.json", b"{")
    assert leases(files, Clock(), "a").take("physics") is None


class Away(LocalFiles):
    """A folder that does not answer while it is away."""

    away = False

    def read(self, path: str) -> bytes:
        if self.away:
            raise StoreWeather("the store does not answer; try again later")
        return super().read(path)


def test_a_store_that_is_away_holds_up_nobody_who_takes_a_lease_or_gives_it_back(tmp_path: Path) -> None:
    files, clock = Away(str(tmp_path)), Clock()
    one, other = leases(files, clock, "a"), leases(files, clock, "b")
    other.take("law")
    one.take("physics")
    files.away = True
    one.release_all()
    assert one.take("law") is None
    files.away = False
    again = leases(files, clock, "c").take("law")
    assert again is not None and again.run_id == "b", "the lease of another was written over"
