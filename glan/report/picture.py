"""Coverage -> SVG: a line for each discipline, its bar in four colours, grouped by field and sub-field."""

import html
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from glan.names import shown
from glan.report.coverage import Cover, Coverage, Place, added

MOST_LINES = 400
"""With more disciplines a line stands for a sub-field; with more sub-fields, for a field."""

WIDTH = 390
LINE = 18
TOP = 52
PARTS = ("kept", "rejected", "quarantined", "coming")
WORDS = {"kept": "kept", "rejected": "rejected", "quarantined": "in quarantine", "coming": "still to come"}
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2933}.field{font-weight:700}.sub{fill:#5b6773}.figure{text-anchor:end}"
    ".title{font-size:15px;font-weight:700}.paper{fill:#fff}"
    ".kept{fill:#1b7f5c}.rejected{fill:#e08e0b}.quarantined{fill:#b3261e}.coming{fill:#c3ccd5}"
)

_NAME, _BAR, _BAR_END = 23, 184, 304
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Line:
    """A heading (without a cover) or a bar."""

    style: str
    name: str
    cover: Cover | None = None


def picture(coverage: Coverage) -> str:
    """One image of the whole: its own paper and colours, so that it can be read on any ground."""
    places = _summed(coverage.places)
    lines = [line for field in _fields(places) for line in field]
    columns = _columns(lines, 1 if len(lines) <= 24 else 2)
    longest = max((place.cover.whole for place in places), default=0)
    width = max(2, len(columns)) * (WIDTH + 20)
    height = TOP + 12 + LINE * max(map(len, columns), default=0)
    drawn = "".join(_drawn(column, 12 + number * (WIDTH + 20), TOP, longest) for number, column in enumerate(columns))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
        f'<style>{STYLE}</style><rect class="paper" width="{width}" height="{height}"/>'
        f"{_title(coverage, places)}{drawn}</svg>"
    )


def fields(coverage: Coverage) -> list[str]:
    """An image for each field without colours of its own: the page around it gives them, by class."""
    places = _summed(coverage.places)
    longest = max((place.cover.whole for place in places), default=0)
    return [
        f'<svg role="img" width="{WIDTH}" height="{LINE * len(lines)}" viewBox="0 0 {WIDTH} {LINE * len(lines)}">'
        f"{_drawn(lines, 0, 0, longest)}</svg>"
        for lines in map(list, _fields(places))
    ]


def headline(coverage: Coverage) -> str:
    """What the picture shows, in one sentence."""
    total = coverage.total
    begun = f"{coverage.begun:,} of {len(coverage.places):,} disciplines begun"
    return f"{total.kept:,} instructions kept of {total.whole:,} planned; {begun}"


def _summed(places: Sequence[Place]) -> list[Place]:
    """As many lines as can be read: disciplines, else sub-fields, else fields, else the first of those.

    A field in which nothing has begun is one line.
    """
    levels: list[Callable[[Place], tuple[str, str, str]]] = [
        lambda place: (place.field, place.sub_field, place.discipline),
        lambda place: (place.field, place.sub_field, ""),
        lambda place: (place.field, "", ""),
    ]
    shown_places = list(_without_idle_fields(places))
    summed: list[Place] = []
    for level in levels:
        summed = [Place(*node, added(one.cover for one in group)) for node, group in groupby(shown_places, level)]
        if len(summed) <= MOST_LINES:
            return summed
    rest = added(place.cover for place in summed[MOST_LINES:])
    return [*summed[:MOST_LINES], Place(f"and {len(summed) - MOST_LINES:,} more fields", "", "", rest)]


def _without_idle_fields(places: Sequence[Place]) -> Iterator[Place]:
    for field, group in groupby(places, lambda place: place.field):
        inside = list(group)
        if any(place.cover.whole for place in inside):
            yield from inside
        else:
            yield Place(f"{field}: {len(inside):,} not begun", "", "", Cover())


def _fields(places: Sequence[Place]) -> Iterator[list[_Line]]:
    """The lines of each field; a field that is summed up is a single line with a bar."""
    for field, group in groupby(places, lambda place: place.field):
        inside = list(group)
        if len(inside) == 1 and not (inside[0].sub_field or inside[0].discipline):
            yield [_Line("field", field, inside[0].cover)]
            continue
        lines = [_Line("field", field)]
        for sub_field, leaves in groupby(inside, lambda place: place.sub_field):
            named = [_Line("", leaf.discipline or sub_field or "directly under it", leaf.cover) for leaf in leaves]
            heading = [_Line("sub", sub_field)] if sub_field and named[0].name != sub_field else []
            lines += [*heading, *named]
        yield lines


def _columns(lines: Sequence[_Line], number: int) -> list[list[_Line]]:
    """The lines in columns of one height; no heading is left alone at the foot of one."""
    height = math.ceil(len(lines) / number) or 1
    columns: list[list[_Line]] = [[]]
    for line in lines:
        if len(columns[-1]) >= height and len(columns) < number:
            last = columns[-1]
            columns.append([])
            while last and last[-1].cover is None:
                columns[-1].insert(0, last.pop())
        columns[-1].append(line)
    return columns


def _drawn(lines: Sequence[_Line], left: int, top: int, longest: int) -> str:
    """Texts one by one; the bars of one colour together, as a single path."""
    texts: list[str] = []
    paths: dict[str, list[str]] = {part: [] for part in PARTS}
    for number, line in enumerate(lines):
        base = top + number * LINE
        texts.append(_text(left + (0 if line.style == "field" else 8), base + 13, line.style, line.name))
        if line.cover is None:
            continue
        x = float(left + _BAR)
        for part in PARTS:
            if size := _width(getattr(line.cover, part), longest):
                paths[part].append(f"M{x:g} {base + 4}h{size:g}v10h-{size:g}z")
                x += size
        figure = f"{line.cover.kept:,} of {line.cover.whole:,}" if line.cover.whole else "–"
        texts.append(f'<text class="figure" x="{left + WIDTH}" y="{base + 13}">{figure}</text>')
    bars = "".join(f'<path class="{part}" d="{"".join(drawn)}"/>' for part, drawn in paths.items() if drawn)
    return bars + "".join(texts)


def _width(number: int, longest: int) -> float:
    """All bars are on one scale; what is there at all can be seen."""
    return max(1.0, round(number / longest * (_BAR_END - _BAR), 1)) if number else 0.0


def _text(x: int, y: int, style: str, name: str) -> str:
    limit = 2 * _NAME if style else _NAME
    readable = shown(_NOT_XML.sub("", name), 200)
    short = _shortened(readable, limit)
    whole = f"<title>{html.escape(readable)}</title>" if short != readable else ""
    return f'<text class="{style or "leaf"}" x="{x}" y="{y}">{whole}{html.escape(short)}</text>'


def _shortened(text: str, limit: int) -> str:
    """As much as fits; Chinese and its like take the room of two letters each."""
    room = limit
    for index, character in enumerate(text):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return text[: max(index - 1, 0)] + "…"
    return text


def _title(coverage: Coverage, places: Sequence[Place]) -> str:
    summed = " (summed up: too many to show each)" if any(_is_sum(place) for place in places) else ""
    parts = [f'<text class="title" x="12" y="22">{headline(coverage)}{summed}</text>']
    for number, part in enumerate(PARTS):
        x = 12 + number * 170
        parts.append(f'<rect class="{part}" x="{x}" y="31" width="10" height="10"/>')
        parts.append(f'<text x="{x + 15}" y="41">{WORDS[part]}: {getattr(coverage.total, part):,}</text>')
    return "".join(parts)


def _is_sum(place: Place) -> bool:
    return not place.discipline and place.cover.whole > 0
