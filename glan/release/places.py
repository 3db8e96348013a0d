"""Snapshot and plan -> where each kept row goes: a split, left out beside the held-out rows, or not sampled."""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from glan.dataset import View
from glan.release import balance, splits
from glan.release.earlier import Earlier
from glan.release.releases import ReleaseOptions, ReleasePlan
from glan.release.sheet import READS, Sheet, language_of
from glan.release.splits import LEFT_OUT, TEST, Places
from glan.report.reach import begun

NOT_SAMPLED = LEFT_OUT + 1


def places(view: View, plan: ReleasePlan) -> Places:
    """A place for each kept row, in the order in which the view gives them.

    Raises:
        InputError: a weight names no node of these rows.
    """
    options = plan.options
    sheet = Sheet(options.apart, options.balance or "discipline")
    wanted: list[bool] = []
    earlier = Earlier(view, plan.after, options.apart)
    for table in view.tables("instructions", [*READS, "kept"]):
        earlier.see(table)
        rows = table.filter(pc.fill_null(table["kept"], False)).to_pylist()
        spoken = [not options.languages or language_of(row) in options.languages for row in rows]
        sheet.add(row for row, is_spoken in zip(rows, spoken, strict=True) if is_spoken)
        wanted += spoken
    empty = begun(view) if options.weights_in_tree else []
    named = [(one.field, one.sub_field, one.discipline_id) for one in empty]
    weights = np.array(balance.weights_of(sheet.names, options.weights, named), np.float64)
    placed = splits.split(sheet, weights[sheet.nodes] > 0, options.test, options.validation, earlier.before())
    if options.samples:
        placed[(placed < TEST) & ~_sampled(sheet, placed, options, weights)] = NOT_SAMPLED
    every = np.full(len(wanted), NOT_SAMPLED, np.int8)
    every[np.array(wanted, np.bool_)] = placed
    return every


def _sampled(sheet: Sheet, placed: Places, options: ReleaseOptions, weights: NDArray[np.float64]) -> splits.Chosen:
    """Which rows of train and validation are taken."""
    eligible = placed < TEST
    sizes = np.bincount(sheet.nodes[eligible], minlength=len(sheet.names))
    if options.balance is None:  # in proportion to what there is, weighted
        weights = weights * sizes
    return balance.chosen(sheet.order, sheet.nodes, eligible, balance.quotas(sizes, weights.tolist(), options.rows))
