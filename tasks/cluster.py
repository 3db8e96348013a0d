"""The Dask cluster of a run: one for all its disciplines, either its own on this machine or one that is running.

Nothing is handed to the worker processes but the run's order, which is two short strings: each makes its effects from
its own environment, at the first unit it gets. What connects them is this: what one has to say is heard by the run; all
stop when one is refused; a unit whose process died is made by another, which reads anew what is on record.
"""

import logging
import signal
import threading
from asyncio import to_thread
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from distributed import Client, LocalCluster, Scheduler, SchedulerPlugin, Security, Worker, WorkerPlugin
from distributed.utils import sync
from prefect import get_client
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.task_runners import TaskRunner
from prefect_dask.task_runners import DaskTaskRunner

from glan.costs import Spent
from glan.errors import GlanError, InputError
from glan.units import Stage
from tasks import progress, wiring
from tasks.receipts import ReceiptStorage  # noqa: F401 - a worker process must know it before its first task
from tasks.wiring import Crew, Order

THREADS = 192
"""Of a worker process: room for the open units of the few disciplines that overlap, so that none has to queue."""

ANSWER_SECONDS = 30

_LOST = "glan_workers_lost"
_logger = logging.getLogger("glan")


class Cluster:
    """What a run needs of its cluster."""

    def __init__(self, client: Client, order: Order) -> None:
        self._client = client
        self._order = order
        self._stopped = threading.Event()
        self.size = max(1, len(client.nthreads()))

    def task_runner(self) -> TaskRunner[Any]:
        """A task runner on this cluster; many may be in use at once."""
        assert self._client.scheduler is not None
        scheduler = self._client.scheduler.address
        runner: TaskRunner[Any] = DaskTaskRunner(
            address=scheduler, client_kwargs={"security": self._client.security, "set_as_default": False}
        )
        return runner

    def stop(self, error: GlanError) -> None:
        """End the calls in all worker processes; the first stop counts."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        try:
            self._client.run(wiring.stop, self._order, error, on_error="ignore")
        except Exception:  # a cluster that is gone calls no one
            _logger.debug("the Dask workers could not be told to stop", exc_info=True)


@contextmanager
def running(order: Order, address: str | None, workers: int) -> Iterator[Cluster]:
    """A cluster that works for a run: the one at `address`, or one with so many worker processes that ends with the block.

    Raises:
        InputError: no Dask scheduler answers at `address`.
    """
    with ExitStack() as stack:
        # A temporary Prefect server is known to this process only, and each other one would start its own.
        with get_client(sync_client=True) as prefect:
            prefect_api = str(prefect.api_url)
        stack.enter_context(temporary_settings({PREFECT_API_URL: prefect_api}))
        _quiet()
        client = stack.enter_context(_connected(address) if address else _own(workers, prefect_api))
        client.subscribe_topic(_topic(order), lambda event: progress.of(order.run_id).say(event[1]))
        client.register_plugin(Losses())
        client.register_plugin(
            Membership(order, len(client.nthreads()), ends_with_the_run=address is None), name=_topic(order)
        )
        try:
            yield Cluster(client, order)
        finally:
            _leave(client, order)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except OSError as error:
        raise InputError(
            f"GLAN_DASK_ADDRESS: no Dask scheduler answers at {address}; start it, or unset it for a cluster of the run's own"
        ) from error
    with client:
        yield client


@contextmanager
def _own(workers: int, prefect_api: str) -> Iterator[Client]:
    """Worker processes on loopback that trust only each other: whoever reaches a Dask scheduler can run code on it."""
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=THREADS,
            security=Security.temporary(),
            dashboard_address=None,
            memory_limit=0,  # it follows the calls in flight; killing a process at some share of the machine's helps no one
            env={"PREFECT_API_URL": prefect_api},
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


def _leave(client: Client, order: Order) -> None:
    """Have every worker process write out what is left of its call log, end what it has of this run, and say what it spent."""
    counts = progress.of(order.run_id)
    try:
        client.unregister_worker_plugin(_topic(order))
        for taken in client.run(_take_spent, order.run_id).values():
            for (discipline_id, stage), spent in taken.items():
                counts.called(discipline_id, stage, spent)
    except Exception as error:  # a cluster that is gone has nothing to write
        _logger.warning("the Dask workers did not say that they have ended: %s", error)


def _take_spent(run_id: str) -> dict[tuple[str, Stage], Spent]:
    """On each worker process."""
    return progress.of(run_id).take_spent()


def _quiet() -> None:
    """Dask tells of every connection, and Prefect of a dashboard that may not be there."""
    logging.getLogger("distributed").setLevel(logging.ERROR)
    logging.getLogger("prefect.task_runner.dask").setLevel(logging.WARNING)


def _topic(order: Order) -> str:
    return f"glan-{order.run_id}"


class Losses(SchedulerPlugin):
    """On the scheduler: counts the worker processes that have gone, before their tasks begin elsewhere."""

    name = "glan-losses"
    idempotent = True

    async def start(self, scheduler: Scheduler) -> None:
        """Answer the workers' question."""
        self._count = 0
        scheduler.handlers[_LOST] = lambda: self._count

    def remove_worker(self, scheduler: Scheduler, worker: str, **_: Any) -> None:
        """Count it, whatever it left for."""
        self._count += 1


class Membership(WorkerPlugin):
    """On each worker process: makes it one of those that work for a run, and ends what it has of it."""

    def __init__(self, order: Order, processes: int, ends_with_the_run: bool) -> None:
        self._order = order
        self._processes = max(1, processes)
        self._ends_with_the_run = ends_with_the_run

    def setup(self, worker: Worker) -> None:
        """Before the first unit."""
        if self._ends_with_the_run and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C goes to all, and is the run's to handle
        _quiet()
        topic = _topic(self._order)
        crew = Crew(
            tell=lambda message: worker.log_event(topic, message),
            lost=lambda: int(sync(worker.loop, getattr(worker.scheduler, _LOST))),
            processes=self._processes,
        )
        wiring.join(self._order, crew)

    async def teardown(self, worker: Worker) -> None:
        """After the last unit."""
        await to_thread(self._end)

    def _end(self) -> None:
        wiring.close(self._order)
        if self._ends_with_the_run:
            EventsWorker.drain_all(timeout=ANSWER_SECONDS)
            APILogWorker.drain_all(timeout=ANSWER_SECONDS)
