"""A benchmark that curation keeps out: the table `[[curation.benchmarks]]` of a `RunConfig`."""

from typing import Literal

from pydantic import Field, model_validator

from glan.checks import DIGEST, Strict

Layout = Literal["gsm8k", "math", "mmlu", "arc", "bbh", "humaneval", "mbpp", "ifeval"]


class Benchmark(Strict):
    """A benchmark whose items the data must not hold: its files, and where in them the texts are."""

    path: str = Field(
        min_length=1,
        description="file, folder, pattern or fsspec address: JSON Lines, JSON, Parquet, or text with an item a line",
    )
    layout: Layout | None = Field(default=None, description="a benchmark whose columns are known; null: name them")
    name: str = Field(default="", max_length=100, description="as it stands on rows and reports; empty: the layout's")
    question: str = Field(default="", description="column of the question; a dot leads into a struct")
    answer: str = Field(default="", description="column of the solution, looked for too if it is long; empty: none")
    choices: str = Field(default="", description="column of the choices, read with a short question; empty: none")
    item: str = Field(default="", description="column of the item's id; empty: the row's number")
    digest: str = Field(
        default="",
        pattern=DIGEST,
        description="digest of the items as read; filled in by glan, not by you",
    )

    @model_validator(mode="after")
    def _check_columns(self) -> "Benchmark":
        if self.layout is None and not self.name:
            raise ValueError("needs a `layout` (gsm8k, math, mmlu, …) or, for files of your own, a `name`")
        return self

    @property
    def label(self) -> str:
        """What rows and reports call it."""
        return self.name or self.layout or ""
