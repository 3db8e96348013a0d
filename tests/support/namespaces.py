"""Whether this machine lets programs be run in namespaces of their own."""

import pytest

from glan.checking import sandbox
from glan.errors import InputError


def possible() -> bool:
    try:
        sandbox.check_possible()
    except InputError:
        return False
    return True


needs_namespaces = pytest.mark.skipif(not possible(), reason="this machine gives no user namespaces")
