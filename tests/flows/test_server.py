"""What is seen of Prefect's server before anything is started."""

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

from flows.server import check_server
from glan.errors import InputError


def test_a_home_that_cannot_be_written_is_named_before_a_server_is_waited_for() -> None:
    with (
        temporary_settings({PREFECT_HOME: "/proc/nowhere"}, restore_defaults=[PREFECT_API_URL]),
        pytest.raises(InputError, match=r"^PREFECT_HOME: /proc/nowhere.*set it to a folder that can$"),
    ):
        check_server()
