"""A budget holds over `kill -9`: whatever the killed run had on record counts for the one that goes on."""

from pathlib import Path

import pytest
from model_server import ModelServer
from proof_checks import check_store, paid_twice, unrecorded
from proof_world import RUN, SEED, Desk, one_pass

from glan.store import runs
from glan.store.store import Store

CAP = one_pass(RUN) - 8


@pytest.mark.soak
def test_a_killed_run_and_the_one_that_goes_on_spend_one_budget(prefect_api: str, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    with ModelServer(seed=SEED, latency=0.15, latency_sigma=0.5) as server:
        desk = Desk(tmp_path / "desk", server, store, {**RUN, "budget": {"calls": CAP}})
        killed = desk.start(prefect_api)
        try:
            server.wait_for_calls(CAP // 2, timeout=90)
        finally:
            killed.kill()
        lost = unrecorded(store, server.calls_after_a_kill())

        ended = desk.run(prefect_api)

        assert ended.code == 1
        assert f"the budget is spent: {CAP} of {CAP} calls" in ended.error
        assert server.count == CAP + len(lost)  # what was in flight, or not yet written, nobody can count
        assert paid_twice(server) <= {call.digest for call in lost}
        files = Store.open(store).files
        assert len({runs.find(files, name).budget_id for name in _runs(store)}) == 1
        check_store(store)

        ended = desk.run(prefect_api)  # the last one ended by itself, so this one has a budget of its own

        assert ended.code == 0, ended.error
        assert server.count <= one_pass(RUN) + len(lost)
    check_store(store)


def _runs(store: str) -> list[str]:
    """The ids of all runs on record."""
    names = (path.name for path in (Path(store) / "v1/_runs").iterdir())
    return [name.removesuffix(".json") for name in names if name.count(".") == 1 and name.endswith(".json")]
