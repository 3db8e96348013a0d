"""Snapshot and plan -> where each kept row goes: a split, left out beside the held-out rows, or not sampled."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow.compute as pc

from glan.dataset import View
from glan.release import balance, splits
from glan.release.releases import ReleaseOptions, ReleasePlan, held_out
from glan.release.sheet import READS, Sheet, hashed, language_of
from glan.release.splits import LEFT_OUT, TEST, Places

NOT_SAMPLED = LEFT_OUT + 1


def places(view: View, plan: ReleasePlan) -> Places:
    """A place for each kept row, in the order in which the view gives them.

    Raises:
        InputError: a weight names no node of these rows.
    """
    options = plan.options
    sheet = Sheet(options.apart, options.balance or "discipline")
    wanted: list[bool] = []
    for rows in _kept(view):
        spoken = [not options.languages or language_of(row) in options.languages for row in rows]
        sheet.add(row for row, is_spoken in zip(rows, spoken, strict=True) if is_spoken)
        wanted += spoken
    before = frozenset(map(hashed, held_out(view.store.files, plan.after)))
    placed = splits.split(sheet, options.test, options.validation, before)
    if options.samples:
        placed[(placed < TEST) & ~_sampled(sheet, placed, options)] = NOT_SAMPLED
    every = np.full(len(wanted), NOT_SAMPLED, np.int8)
    every[np.array(wanted, np.bool_)] = placed
    return every


def _kept(view: View) -> Iterator[list[dict[str, Any]]]:
    for table in view.tables("instructions", [*READS, "kept"]):
        yield table.filter(pc.fill_null(table["kept"], False)).to_pylist()


def _sampled(sheet: Sheet, placed: Places, options: ReleaseOptions) -> Any:
    """Which rows of train and validation are taken."""
    eligible = placed < TEST
    sizes = np.bincount(sheet.nodes[eligible], minlength=len(sheet.names))
    weights = balance.weights_of(sheet.names, options.weights)
    if options.balance is None:  # in proportion to what there is, weighted
        weights = [weight * size for weight, size in zip(weights, sizes.tolist(), strict=True)]
    return balance.chosen(sheet.order, sheet.nodes, eligible, balance.quotas(sizes, weights, options.rows))
