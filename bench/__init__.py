"""Measurements that anyone can run. They borrow the texts that the test suite's model server writes."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "support"))
