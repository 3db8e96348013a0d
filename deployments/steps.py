"""Steps of prefect.yaml: what is looked up when it is deployed, and where a run works."""

import os

import glan


def look_around() -> dict[str, object]:
    return {"version": glan.__version__, "timezone": "UTC", "nightly": False}


def enter_folder() -> dict[str, str]:
    folder = os.environ.get("PWD", "")
    return {"directory": folder}
