"""Figures -> PNG images, for a data card and for wherever no SVG is shown. The same figures make the same bytes."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from glan.names import shown
from glan.report.texts import Bars

INK, SOFT, PAPER = "#1f2933", "#5b6773", "#ffffff"
COLOURS = ("#3566a8", "#1b7f5c", "#a3791a", "#8a4f9e", "#b3261e", "#4f7f8a", "#7a6a58", "#5b6773")
NAMED = {"kept": "#1b7f5c", "rejected": "#e08e0b"}

MOST_LINES = 40
"""Bars of a plot with a name for each; what is more is summed up in the last."""

_SCALE = 2  # dots for each pixel, for sharp screens
_WIDTH, _LINE, _TOP, _SIZE, _COLUMNS = 760, 24, 40, 14, 190

Spelled = Callable[[float], str]


@dataclass(frozen=True)
class Lines:
    """A horizontal bar for each name."""

    title: str
    values: Sequence[tuple[str, float]]
    spelled: Spelled


@dataclass(frozen=True)
class Columns:
    """Stacked upright bars, of each series a value for each place; `first` and `last` name the ends of the axis."""

    title: str
    series: Mapping[str, Sequence[float]]
    first: str
    last: str
    spelled: Spelled


def png(*plots: Lines | Columns) -> bytes:
    """The plots below one another in one image."""
    heights = [_height(plot) for plot in plots]
    image = Image.new("RGB", (_WIDTH * _SCALE, max(1, sum(heights)) * _SCALE), PAPER)
    top = 0
    for plot, height in zip(plots, heights, strict=True):
        canvas = _Canvas(ImageDraw.Draw(image), top)
        canvas.text(12, 10, plot.title, INK, size=_SIZE + 2)
        if isinstance(plot, Lines):
            _draw_lines(canvas, plot)
        else:
            _draw_columns(canvas, plot)
        top += height
    body = io.BytesIO()
    image.quantize(64).save(body, "PNG", optimize=True)  # a quarter of the size: Prefect keeps one for each run
    return body.getvalue()


def lengths(name: str, bars: Bars) -> Columns:
    """How long texts are, in steps that grow with the length."""
    first, last = f"{bars.edges[0]:,} characters", f"{bars.edges[-1] - 1:,}"
    return Columns(f"Length of {name}", {name: bars.counts}, first, last, whole)


def whole(value: float) -> str:
    """A count."""
    return f"{value:,.0f}"


@dataclass(frozen=True)
class _Canvas:
    """Draws below a line of the image, in pixels."""

    draw: ImageDraw.ImageDraw
    top: int

    def text(self, x: float, y: float, words: str, colour: str, size: int = _SIZE, right: bool = False) -> None:
        font = _font(size)
        left = x * _SCALE - (font.getlength(words) if right else 0)
        self.draw.text((left, (self.top + y) * _SCALE), words, colour, font)

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        left, upper = round(x * _SCALE), round((self.top + y) * _SCALE)
        right, lower = left + max(1, round(width * _SCALE)) - 1, upper + max(1, round(height * _SCALE)) - 1
        self.draw.rectangle((left, upper, right, lower), colour)


def _font(size: int) -> ImageFont.FreeTypeFont:
    """The one that Pillow carries, so that no plot depends on what a machine has installed."""
    font = ImageFont.load_default(size * _SCALE)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _height(plot: Lines | Columns) -> int:
    if isinstance(plot, Columns):
        return _TOP + _COLUMNS + 2 * _LINE
    return _TOP + _LINE * max(1, len(_shortened(plot.values))) + 12


def _draw_lines(canvas: _Canvas, plot: Lines) -> None:
    values = _shortened(plot.values)
    most = max((value for _, value in values), default=0)
    if not most:
        canvas.text(12, _TOP, "Nothing.", SOFT)
        return
    for number, (name, value) in enumerate(values):
        y = _TOP + number * _LINE
        canvas.text(12, y, _fitting(name, 280), INK)
        if value:
            canvas.box(300, y + 2, value / most * 340, _LINE - 8, COLOURS[0])
        canvas.text(_WIDTH - 12, y, plot.spelled(value), INK, right=True)


def _draw_columns(canvas: _Canvas, plot: Columns) -> None:
    names = [name for name, values in plot.series.items() if any(values)]
    if not names:
        canvas.text(12, _TOP, "Nothing.", SOFT)
        return
    stacks = list(zip(*(plot.series[name] for name in names), strict=True))
    most = max(map(sum, stacks))
    base, step = _TOP + _COLUMNS, (_WIDTH - 24) / len(stacks)
    for place, stack in enumerate(stacks):
        y = float(base)
        for number, value in enumerate(stack):
            if size := value / most * (_COLUMNS - 20):
                y -= size
                canvas.box(12 + place * step, y, max(1, step - 1), size, _colour(names[number], number))
    canvas.box(12, base, _WIDTH - 24, 1, SOFT)
    canvas.text(12, base + 3, plot.first, SOFT)
    canvas.text(_WIDTH - 12, base + 3, plot.last, SOFT, right=True)
    canvas.text(_WIDTH - 12, 10, f"at most {plot.spelled(most)}", SOFT, right=True)
    x = 12.0
    for number, name in enumerate(names if len(names) > 1 else ()):
        words = f"{_fitting(name, 160)}: {plot.spelled(sum(plot.series[name]))}"
        canvas.box(x, base + _LINE + 5, 10, 10, _colour(name, number))
        canvas.text(x + 14, base + _LINE, words, INK)
        x += 34 + _font(_SIZE).getlength(words) / _SCALE


def _colour(name: str, number: int) -> str:
    return NAMED.get(name, COLOURS[number % len(COLOURS)])


def _shortened(values: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    if len(values) <= MOST_LINES:
        return list(values)
    rest = values[MOST_LINES - 1 :]
    return [*values[: MOST_LINES - 1], (f"and {len(rest):,} more", sum(value for _, value in rest))]


def _fitting(name: str, room: float) -> str:
    words, font = shown(name, 120), _font(_SIZE)
    if font.getlength(words) <= room * _SCALE:
        return words
    while words and font.getlength(words + "…") > room * _SCALE:
        words = words[:-1]
    return words + "…"
