"""Makes the bucket of GLAN_STORE where it is missing: `python -m deployments.bucket`, before anything else runs."""

import sys

import s3fs

from glan.errors import InputError
from glan.settings import Settings


def main() -> None:
    """Make it and say so, or say in one sentence why not."""
    try:
        bucket = bucket_of(Settings.load().store)
        made = make(bucket)
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"bucket {bucket}: {'made' if made else 'it is there'}")


def bucket_of(store: str) -> str:
    """The bucket of `s3://bucket/prefix`."""
    if not store.startswith("s3://"):
        raise InputError("GLAN_STORE must be s3://bucket/prefix here: containers share no folder")
    return store.removeprefix("s3://").partition("/")[0]


def make(bucket: str) -> bool:
    """True if it was made, False if it was there."""
    s3 = s3fs.S3FileSystem(use_listings_cache=False)
    if s3.exists(bucket):
        return False
    s3.mkdir(bucket)
    return True


if __name__ == "__main__":
    main()
