"""Everything that can go wrong, named for what the caller can do about it.

GlanError
├── InputError       a person's input is wrong: one sentence with file, field and fix (exit code 2)
├── StoreError       the store cannot be relied on: no create-only writes, a foreign or damaged object
│   ├── Unreadable   one object is gone, damaged or foreign; the others can be read
│   └── StoreWeather a passing fault of the store that outlived its retries
├── EndpointRefused  the model endpoint is condemned (key, quota, model, unsupported parameter): stop the run
├── EndpointDown     the endpoint did not come back within the patience set: run again later
├── BudgetSpent      the next call would go beyond the budget: run again with a larger one
└── Cancelled        the run was told to stop; what is committed stays
    └── Abandoned    nobody is left to tell it: the process that started the run is gone

Each takes one message, so that all of them survive pickling.
"""


class GlanError(Exception):
    """Base of all errors this project raises on purpose; `str()` is one clear sentence."""


class InputError(GlanError):
    """What a person wrote is wrong; the sentence names the file, the field and the fix."""


class StoreError(GlanError):
    """The store cannot be relied on; nothing was written over anything."""


class Unreadable(StoreError):
    """One object is gone, damaged or foreign, so that what rests on it cannot be made; the others can be read."""


class StoreWeather(StoreError):
    """A passing fault of the store that outlived its retries; the same call may succeed later."""


class EndpointRefused(GlanError):
    """The endpoint refuses every call like this one; asking again cannot help."""


class EndpointDown(GlanError):
    """The endpoint stayed unreachable for longer than the patience set; asking later can help."""


class BudgetSpent(GlanError):
    """The next call would go beyond the budget. What is committed stays; a larger budget goes on from there."""


class Cancelled(GlanError):
    """The run was told to stop. Committed work stays and the next run goes on from it."""


class Abandoned(Cancelled):
    """The process that started the run is gone, so that nobody could stop it or see it fail any more."""


RETRYABLE: tuple[type[GlanError], ...] = (StoreWeather, EndpointDown)
"""What a retry of the same unit may cure."""
