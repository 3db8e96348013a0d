"""Plots as PNG: images that can be opened, of any figures and names, the same for the same."""

import io

import pytest
from PIL import Image
from report_world import grown_store

from glan.dataset import View
from glan.report.figures import figures
from glan.report.overview import overview
from glan.report.plots import COLOURS, Columns, Lines, png, whole


def opened(body: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(body))
    image.load()
    return image


def dots(image: Image.Image, colour: str) -> int:
    wanted = tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return sum(count for count, found in image.getcolors(1 << 20) or () if found == wanted)


def test_a_bar_is_as_long_as_its_value() -> None:
    one, both = (
        dots(opened(png(Lines("t", values, whole))), COLOURS[0]) for values in ([("a", 9)], [("a", 9), ("b", 9)])
    )
    half = dots(opened(png(Lines("t", [("a", 9), ("b", 4.5)], whole))), COLOURS[0])
    assert both == 2 * one and half == pytest.approx(1.5 * one, rel=0.02)


@pytest.mark.parametrize("name", ["", "<b>", "\u202eback\x00", "物理学" * 30, "long " * 50])
@pytest.mark.parametrize("values", [[], [0], [1e-9, 1e12], list(range(300))], ids=str)
def test_any_figures_and_names_can_be_drawn(name: str, values: list[float]) -> None:
    lines = Lines(name, [(name, value) for value in values], whole)
    columns = Columns(name, {name: values, "kept": values}, "first", "last", whole)
    image = opened(png(lines, columns))
    assert image.width == 1520 and 400 < image.height < 3_000


def test_the_same_figures_make_the_same_bytes() -> None:
    plot = Lines("Rows", [("Physics", 5), ("Law", 3)], whole)
    assert png(plot) == png(plot)


def test_a_store_is_drawn_as_a_whole(tmp_path_factory: pytest.TempPathFactory) -> None:
    store, _, _ = grown_store(tmp_path_factory.mktemp("grown"))
    image = opened(overview(figures(View.open(store, "latest"))))
    assert image.format == "PNG" and image.height > 1_000
