"""A store on S3: lost answers, overload, wrong credentials, servers that cannot be relied on."""

import http.server
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from faulty_network import FaultyNetwork
from faulty_s3 import FaultyS3
from s3_server import S3Server

from glan.errors import StoreError, StoreWeather
from glan.store.files import Files
from glan.store.s3 import S3Files


@pytest.fixture
def network(s3_url: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyNetwork]:
    """A network that can be told to fail, between the client and the server."""
    with FaultyNetwork(s3_server.port) as relay:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{relay.port}")
        yield relay


def patient(url: str, tries: int = 4) -> S3Files:
    """As in service, but with short pauses."""
    return S3Files(url, tries=tries, first_pause=0.01)


@pytest.mark.parametrize("times", [1, 3])
def test_a_created_file_whose_answer_was_lost_counts_as_created(
    network: FaultyNetwork, s3_url: str, times: int
) -> None:
    files = patient(s3_url, tries=6)
    network.lose_answers = times
    assert files.create("a/b", b"mine")
    assert network.faults == times
    assert files.read("a/b") == b"mine"


def test_a_lost_answer_about_the_file_of_another_is_still_a_refusal(network: FaultyNetwork, s3_url: str) -> None:
    files = patient(s3_url)
    files.create("a/b", b"the same bytes")
    network.lose_answers = 1
    assert not files.create("a/b", b"the same bytes")


def test_an_overloaded_server_is_waited_for(network: FaultyNetwork, s3_url: str) -> None:
    files = patient(s3_url)
    network.say_busy = 3
    assert files.create("a/b", b"1")
    network.say_busy = 2
    assert files.read("a/b") == b"1"
    network.say_busy = 2
    assert [entry.path for entry in files.list("a")] == ["a/b"]
    network.say_busy = 2
    assert files.exists("a/b")


def test_a_server_that_stays_overloaded_is_weather(network: FaultyNetwork, s3_url: str) -> None:
    files = patient(s3_url)
    network.say_busy = 1000
    with pytest.raises(StoreWeather, match="try again later"):
        files.create("a/b", b"1")
    network.say_busy = 0
    assert files.create("a/b", b"1")


def test_a_404_to_a_write_comes_from_a_proxy_and_is_weather(
    s3_url: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyS3(s3_server.port) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        files = patient(s3_url, tries=3)
        proxy.when = lambda request: "astray" if request.method == "PUT" and proxy.struck["astray"] < 2 else None
        assert files.create("a/b", b"1")
        proxy.when = lambda request: "astray" if request.method in ("PUT", "POST") else None
        for write in (lambda: files.create("a/c", b"1"), lambda: files.replace("a/b", b"2")):
            with pytest.raises(StoreWeather):
                write()
        assert files.read("a/b") == b"1"


def test_a_server_that_is_not_there_is_weather(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreWeather):
        patient(s3_url, tries=2).list("")


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("AWS_SECRET_ACCESS_KEY", "the secret key is wrong; check AWS_SECRET_ACCESS_KEY"),
        ("AWS_ACCESS_KEY_ID", "the access key is not known there; check AWS_ACCESS_KEY_ID and AWS_ENDPOINT_URL"),
    ],
)
def test_wrong_credentials_are_one_clear_sentence(
    s3_url: str, monkeypatch: pytest.MonkeyPatch, variable: str, sentence: str
) -> None:
    monkeypatch.setenv(variable, "hunter2")
    with pytest.raises(StoreError) as caught:
        Files.open(s3_url).probe()
    assert str(caught.value) == f"{s3_url}: {sentence}"
    assert not isinstance(caught.value, StoreWeather)


def test_missing_credentials_are_one_clear_sentence(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(StoreError, match="no credentials; set AWS_ACCESS_KEY_ID"):
        Files.open(s3_url).probe()


def test_a_bucket_that_is_not_there_is_a_clear_error_and_never_an_empty_store(s3_url: str) -> None:
    files = Files.open("s3://no-such-bucket/x")
    for use in (files.probe, lambda: files.list(""), lambda: files.read("a")):
        with pytest.raises(StoreError) as caught:
            use()
        assert not isinstance(caught.value, StoreWeather)
        assert "no-such-bucket" in str(caught.value)


def test_a_server_that_overwrites_what_should_be_created_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Forgetful)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(StoreError, match="does not honour create-only writes"):
        Files.open("s3://bucket/x").probe()
    server.shutdown()
    server.server_close()


def test_a_listing_of_more_than_a_page_is_complete(s3_url: str) -> None:
    files = Files.open(s3_url)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: files.create(f"many/{number:04d}", b""), range(1005)))
    assert [entry.path for entry in files.list("many")] == [f"many/{number:04d}" for number in range(1005)]


def test_what_was_acknowledged_survives_a_crash_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3Server() as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        files = S3Files(f"{server.url}/x", tries=40, longest_pause=0.2)
        a_few, done = threading.Barrier(3, timeout=60), threading.Event()

        def write(writer: int) -> list[str]:
            created: list[str] = []
            while not done.is_set() or len(created) < 60:
                path = f"a/{writer}-{len(created)}"
                assert files.create(path, path.encode())
                created.append(path)
                if len(created) == 20:
                    a_few.wait()
            return created

        with ThreadPoolExecutor(2) as pool:
            writing = [pool.submit(write, number) for number in range(2)]
            a_few.wait()
            server.kill()
            server.start()
            done.set()
            created = [path for one in writing for path in one.result()]
        assert [entry.path for entry in files.list("a")] == sorted(created)
        assert all(files.read(path) == path.encode() for path in created)


class _Forgetful(http.server.BaseHTTPRequestHandler):
    """A server that says yes to every write, whatever the condition."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._yes(200)

    def do_DELETE(self) -> None:
        self._yes(204)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _yes(self, status: int) -> None:
        self.send_response(status)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", "0")
        self.end_headers()
