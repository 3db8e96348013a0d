"""The job that makes the store's bucket."""

import os
import subprocess
import sys

import pytest
from compose_file import ROOT


def made() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deployments.bucket"], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )


def test_a_bucket_that_is_there_is_left_alone(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLAN_STORE", s3_url)
    done = made()
    assert (done.returncode, done.stdout) == (0, "bucket glan-tests: it is there\n")


def test_a_bucket_that_may_not_be_made_is_one_sentence(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLAN_STORE", "s3://another-bucket/glan")
    done = made()
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_a_folder_is_no_store_for_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLAN_STORE", "data")
    done = made()
    assert done.returncode == 1
    assert done.stderr == "error: GLAN_STORE must be s3://bucket/prefix here: containers share no folder\n"
