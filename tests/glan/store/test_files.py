"""Files: the same promises on a folder and on S3."""

import datetime
import io
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from glan.errors import InputError, StoreError
from glan.store.files import Files


def test_a_file_is_created_once_and_never_overwritten(store_url: str) -> None:
    files = Files.open(store_url)
    assert files.create("syllabi/disc=physics/one.parquet", b"first")
    assert not files.create("syllabi/disc=physics/one.parquet", b"second")
    assert not files.create("syllabi/disc=physics/one.parquet", b"first")
    assert files.read("syllabi/disc=physics/one.parquet") == b"first"


def test_of_many_who_create_one_file_exactly_one_succeeds(store_url: str) -> None:
    files = Files.open(store_url)
    with ThreadPoolExecutor(6) as pool:
        created = list(pool.map(lambda number: files.create("a/race", b"%d" % number), range(6)))
    assert created.count(True) == 1
    assert files.read("a/race") == b"%d" % created.index(True)


def test_a_file_that_is_not_there_says_so(store_url: str) -> None:
    files = Files.open(store_url)
    assert not files.exists("a/b")
    with pytest.raises(FileNotFoundError):
        files.read("a/b")
    with pytest.raises(FileNotFoundError):
        files.open_input("a/b")
    files.delete("a/b")


def test_replacing_writes_over_what_is_there(store_url: str) -> None:
    files = Files.open(store_url)
    files.replace("_leases/physics.json", b"mine")
    files.replace("_leases/physics.json", b"yours")
    assert files.read("_leases/physics.json") == b"yours"


def test_a_listing_names_exactly_the_files_below_a_folder(store_url: str) -> None:
    files = Files.open(store_url)
    for path in ("a/disc=x/2", "a/disc=x/1", "a/disc=x/deep/3", "a/disc=xy/4", "b/5"):
        files.create(path, b"12345")
    listed = files.list("a/disc=x")
    assert [entry.path for entry in listed] == ["a/disc=x/1", "a/disc=x/2", "a/disc=x/deep/3"]
    assert [entry.path for entry in files.list("a/disc=x/")] == [entry.path for entry in listed]
    assert len(files.list("")) == 5
    assert {entry.size for entry in listed} == {5}
    age = datetime.datetime.now(datetime.UTC) - listed[0].modified
    assert abs(age) < datetime.timedelta(minutes=5)
    assert files.list("nothing/here") == []


def test_a_folder_that_has_become_empty_lists_nothing(store_url: str) -> None:
    files = Files.open(store_url)
    files.create("a/b/c", b"1")
    files.delete("a/b/c")
    assert files.list("a/b") == files.list("a") == files.list("") == []


def test_what_another_client_writes_is_seen_at_once(store_url: str) -> None:
    one, other = Files.open(store_url), Files.open(store_url)
    assert one.list("a") == []
    assert not one.exists("a/b")
    other.create("a/b", b"1")
    assert [entry.path for entry in one.list("a")] == ["a/b"]
    assert one.exists("a/b")


def test_one_column_of_a_large_object_can_be_read(store_url: str) -> None:
    files = Files.open(store_url)
    keys = [f"key {number}" for number in range(3000)]
    replies = [f"{number:x}" * 400 for number in range(3000)]
    sink = io.BytesIO()
    columns = pa.table({"key": keys, "reply": replies})
    pq.write_table(columns, sink, row_group_size=500, compression="none", use_dictionary=False)
    assert len(sink.getvalue()) > 2 << 20
    files.create("large.parquet", sink.getvalue())
    file = pq.ParquetFile(files.open_input("large.parquet"), pre_buffer=True)
    assert file.read(["key"])["key"].to_pylist() == keys
    assert file.read_row_group(2)["reply"].to_pylist() == replies[1000:1500]
    whole = files.open_input("large.parquet")
    assert whole.read() == sink.getvalue()


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/x", "a//b", "", ".", ".tmp-1", "a/.hidden", "a b", "a/b\n", "ä", "a\\b", "s3://x"],
)
def test_a_path_that_could_leave_the_store_is_refused(store_url: str, path: str) -> None:
    files = Files.open(store_url)
    for use in (files.read, files.exists, files.delete, files.open_input, lambda path: files.create(path, b"")):
        with pytest.raises(StoreError, match="no path of the store"):
            use(path)


def test_the_probe_leaves_nothing_behind(store_url: str) -> None:
    files = Files.open(store_url)
    files.probe()
    assert files.list("") == []


def test_an_address_names_the_file_for_other_tools(store_url: str) -> None:
    assert Files.open(store_url).address("a/b") == f"{store_url}/v1/a/b"


@pytest.mark.parametrize("url", ["s3://", "s3://key:hunter2@bucket/x", "s3://Bucket", "s3://bu cket"])
def test_an_address_that_is_no_bucket_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InputError) as caught:
        Files.open(url)
    assert "hunter2" not in str(caught.value)
