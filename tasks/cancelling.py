"""Whether a person has cancelled the run. A run that no worker or `serve` started has to ask for itself."""

import logging
import time
from uuid import UUID

from prefect import get_client

from glan.errors import Cancelled

ASK_EVERY_SECONDS = 3.0
STOPPED = "the run was told to stop; what is committed stays"


class Cancelling:
    """Asks the Prefect server every few seconds about one flow run."""

    def __init__(self, run_id: str) -> None:
        self._run_id = UUID(run_id)
        self._asked = time.monotonic()

    def check(self) -> None:
        """Raise if the run is cancelled. A server that does not answer is asked again later.

        Raises:
            Cancelled: the run is to stop.
        """
        if time.monotonic() - self._asked < ASK_EVERY_SECONDS:
            return
        self._asked = time.monotonic()
        try:
            with get_client(sync_client=True) as client:
                state = client.read_flow_run(self._run_id).state
        except Exception:
            logging.getLogger("glan").debug("the Prefect server does not say whether to stop", exc_info=True)
            return
        if state is not None and (state.is_cancelling() or state.is_cancelled()):
            raise Cancelled(STOPPED)
