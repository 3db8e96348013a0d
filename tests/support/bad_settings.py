"""What is wrong in the environment, .env, glan.toml and tables of prices."""

from bad_case import Case, dotenv, prices, settings, toml
from terminal_world import SECRET

S3_KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET}


def s3(told: str, **environment: str) -> Case:
    """What `status` says of a store on S3 in this environment."""
    return Case(("status",), (told,), environment={"GLAN_STORE": "s3://bucket/x", **S3_KEYS, **environment})


def a_file(*told: str, **environment: str) -> Case:
    """What is said of a file where the store should be."""
    return Case(("plan",), told, {"taken": "", "other/v1": ""}, environment)


SETTINGS = {
    "concurrency in words": settings("max_concurrency", "integer", GLAN_MAX_CONCURRENCY="many"),
    "no concurrency": settings("max_concurrency", GLAN_MAX_CONCURRENCY="0"),
    "no requests a minute": settings("requests_per_minute", GLAN_REQUESTS_PER_MINUTE="0"),
    "negative tokens a minute": settings("tokens_per_minute", GLAN_TOKENS_PER_MINUTE="-1"),
    "negative patience": settings("patience_seconds", GLAN_PATIENCE_SECONDS="-1"),
    "never flushed": settings("flush_seconds", GLAN_FLUSH_SECONDS="0"),
    "a store of another kind": settings("store", "s3://bucket/prefix", GLAN_STORE="gs://bucket"),
    "a store without a bucket": settings("store", GLAN_STORE="s3://"),
    "a store without a name": settings("store", GLAN_STORE=" "),
    "no key": settings("OPENAI_API_KEY is not set", OPENAI_API_KEY=None, OPENAI_BASE_URL=None),
    "an endpoint without its scheme": settings("OPENAI_BASE_URL", "http", OPENAI_BASE_URL="localhost:8000/v1"),
    "a wrong value in .env": dotenv("GLAN_MAX_CONCURRENCY=lots", "GLAN_MAX_CONCURRENCY", "integer"),
    ".env not UTF-8": dotenv(b"GLAN_MODEL=\xff\xfe", ".env"),
    "glan.toml not TOML": toml("store = = 3", "line 1"),
    "glan.toml not UTF-8": toml(b'model = "\xff"'),
    "a wrong value in glan.toml": toml("max_concurrency = 0", "max_concurrency"),
    "an unknown field in glan.toml": toml("max_concurency = 3", "max_concurency"),
    "an unknown variable": settings("GLAN_MAX_CONCURENCY", GLAN_MAX_CONCURENCY="3"),
    "a store of two lines": settings("store", "line break", GLAN_STORE="a\nb"),
    "a store in capitals": settings("store", "s3://bucket/prefix", GLAN_STORE="S3://bucket"),
    "a store with one slash": settings("store", "s3://bucket/prefix", GLAN_STORE="s3:/bucket"),
    "a store with a password": settings("AWS_*", GLAN_STORE=f"s3://key:{SECRET}@bucket/x"),
    "an endpoint of S3 that is none": s3("AWS_ENDPOINT_URL is no address", AWS_ENDPOINT_URL="nonsense"),
    "an endpoint of S3 without its scheme": s3("AWS_ENDPOINT_URL is no address", AWS_ENDPOINT_URL="localhost:9000"),
    "a port of S3 that is no number": s3("AWS_ENDPOINT_URL is no address", AWS_ENDPOINT_URL="http://localhost:port"),
    "an endpoint of S3 with a space": s3("AWS_ENDPOINT_URL is no address", AWS_ENDPOINT_URL="http://local host"),
    "an endpoint of S3 alone": s3("AWS_ENDPOINT_URL_S3 is no address", AWS_ENDPOINT_URL_S3="localhost:9000"),
    "a region of S3 that is none": s3("AWS_DEFAULT_REGION", AWS_DEFAULT_REGION="the north"),
    "a profile of S3 that is not there": s3("AWS_PROFILE", AWS_PROFILE="nobody"),
    "a store that is a file": a_file("GLAN_STORE", "taken is no folder", GLAN_STORE="taken"),
    "a store below a file": a_file("GLAN_STORE", "below: ", "taken is no folder", GLAN_STORE="taken/far/below"),
    "a store whose inside is a file": a_file("GLAN_STORE", "v1 is no folder", GLAN_STORE="other"),
    "a store that climbs": settings("GLAN_STORE", "../x", GLAN_STORE="s3://bucket/../x"),
    "patience without end": settings("patience_seconds", "finite", GLAN_PATIENCE_SECONDS="inf"),
    "an alarm that is no number": settings("quarantine_alarm", GLAN_QUARANTINE_ALARM="nan"),
    "more requests than there are numbers": settings("requests_per_minute", GLAN_REQUESTS_PER_MINUTE="9" * 30),
    "a misspelt task runner": settings("'daks'", "did you mean `dask`", GLAN_TASK_RUNNER="daks"),
    "a time zone of nowhere": settings("timezone", "Europe/Berlin", GLAN_TIMEZONE="Europe/Berln"),
    "a scheduler without its scheme": settings("dask_address", "tcp://", GLAN_DASK_ADDRESS="localhost:8786"),
    "a model of two lines": settings("GLAN_MODEL", "line break", GLAN_MODEL="a\nb"),
    "a model of 5,000 characters": settings("GLAN_MODEL", "300", GLAN_MODEL="a" * 5000),
    "a key of two lines": settings("OPENAI_API_KEY", "copy the key again", OPENAI_API_KEY=f"{SECRET}\n{SECRET}"),
    "a key in quotation marks": settings("OPENAI_API_KEY", "quotation mark", OPENAI_API_KEY=f'"{SECRET}"'),
    "a key beyond ASCII": settings("OPENAI_API_KEY", "ASCII", OPENAI_API_KEY="sk-märker"),
    "a key of spaces": settings("OPENAI_API_KEY is not set", OPENAI_API_KEY="  ", OPENAI_BASE_URL=None),
    "a password in the endpoint": settings("OPENAI_BASE_URL", "password", OPENAI_BASE_URL=f"http://u:{SECRET}@h/v1"),
    "a password and a wrong port": settings("OPENAI_BASE_URL", OPENAI_BASE_URL=f"http://u:{SECRET}@h:port/v1"),
    "an endpoint with a space": settings("OPENAI_BASE_URL", "no address", OPENAI_BASE_URL="http://host /v1"),
    ".env with a byte order mark": dotenv(b"\xef\xbb\xbfGLAN_MAX_CONCURRENCY=0", "GLAN_MAX_CONCURRENCY"),
    ".env with lines of another system": dotenv("GLAN_MAX_CONCURRENCY=lots\r\nX=1\r\n", "GLAN_MAX_CONCURRENCY"),
    "a misspelt name in .env": dotenv("export GLAN_PROMTS=x", ".env", "did you mean `GLAN_PROMPTS`"),
    ".env with a line that says nothing": dotenv("GLAN_MODEL=x\n\nthis is junk\n", ".env, line 3", "NAME=value"),
    ".env with half a pair of quotes": dotenv(f'AWS_SECRET_ACCESS_KEY="{SECRET}\n', ".env, line 1", "quotation"),
    "a block without its type": settings("GLAN_NOTIFY", "slack-webhook/team", GLAN_NOTIFY="slack"),
    "glan.toml with a byte order mark": toml(b"\xef\xbb\xbfmax_concurrency = 0", "max_concurrency"),
    "glan.toml nested without end": toml(f"store = {'[' * 3000}{']' * 3000}", "nested too deeply"),
    "glan.toml with a name of the environment": toml('GLAN_STORE = "x"', "`GLAN_STORE`"),
}

PRICES = {
    "not there": settings("nowhere.toml", GLAN_PRICES="nowhere.toml"),
    "not TOML": prices("gpt = ", "TOML"),
    "a negative price": prices('["gpt-4.1"]\ninput = -2.0\noutput = 8.0', "gpt-4.1.input"),
    "no price for replies": prices('["gpt-4.1"]\ninput = 2.0', "gpt-4.1.output", "required"),
    "a name not in quotes": prices("[gpt-4.1]\ninput = 2.0\noutput = 8.0", "in quotes"),
    "an unknown field": prices('["gpt-4.1"]\ninput = 2.0\noutput = 8.0\nbulk = 1.0', "bulk"),
    "a batch price as an amount": prices('["gpt-4.1"]\ninput = 2.0\noutput = 8.0\nbatch = 4.0', "gpt-4.1.batch"),
    "a price in words": prices('["gpt-4.1"]\ninput = "two"\noutput = 8.0', "gpt-4.1.input"),
    "a folder": settings(".", "directory", GLAN_PRICES="."),
    "a price that is no number": prices('["gpt-4.1"]\ninput = nan\noutput = 8.0', "gpt-4.1.input", "finite"),
    "a negative price of cached tokens": prices(
        '["m"]\ninput = 1.0\ncached_input = -1.0\noutput = 1.0', "cached_input"
    ),
    "a name that steers the terminal": prices('["m\\u001b[31m"]\ninput = -1.0\noutput = 2.0', "m\\u001b[31m.input"),
    "true for a price": prices('["m"]\ninput = true\noutput = 2.0', "m.input"),
    "a price beyond all prices": prices('["m"]\ninput = 1e308\noutput = 2.0', "m.input", "1000000"),
    "one number for all": prices("m = 3", "prices.toml"),
}

GROUPS = {"settings": SETTINGS, "prices": PRICES}
