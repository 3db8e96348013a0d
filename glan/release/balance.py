"""How many rows each node of the tree gives, and which: equal or weighted shares instead of whatever there is."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glan.errors import InputError
from glan.names import shown

Numbers = NDArray[np.int64]


def chosen(
    order: NDArray[np.uint64], nodes: Numbers, eligible: NDArray[np.bool_], quotas: Numbers
) -> NDArray[np.bool_]:
    """The rows to take: of each node as many as its quota says, those that come first by `order`.

    A larger quota only adds rows, and new rows displace few, so that one release is much like the next.
    """
    candidates = np.flatnonzero(eligible)
    ranked = candidates[np.lexsort((order[candidates], nodes[candidates]))]
    sizes = np.bincount(nodes[ranked], minlength=len(quotas))
    place = np.arange(len(ranked)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    taken = np.zeros(len(order), np.bool_)
    taken[ranked[place < quotas[nodes[ranked]]]] = True
    return taken


def quotas(sizes: Numbers, weights: Sequence[float], rows: int | None) -> Numbers:
    """Rows of each node: in proportion to the weights as far as the nodes reach; what one lacks the others give.

    Args:
        sizes: rows that each node has.
        rows: in all; None: the most for which the proportions can be kept exactly, which is the scarcest node's share.
    """
    weight = np.array(weights, np.float64)
    wanted = weight > 0
    if not wanted.any() or not sizes[wanted].sum():
        return np.zeros(len(sizes), np.int64)
    if rows is None:
        level = float(np.min(sizes[wanted & (sizes > 0)] / weight[wanted & (sizes > 0)]))
    else:
        level = _level(sizes[wanted], weight[wanted], min(rows, int(sizes[wanted].sum())))
    exact = np.where(wanted, np.minimum(sizes, level * weight), 0.0)
    whole = np.floor(exact + 1e-9).astype(np.int64)
    missing = (min(rows, int(sizes[wanted].sum())) if rows is not None else int(whole.sum())) - int(whole.sum())
    first = np.lexsort((np.arange(len(sizes)), whole - exact))
    room = first[(whole < sizes)[first] & wanted[first]][:missing]
    whole[room] += 1
    return whole


def _level(sizes: Numbers, weight: NDArray[np.float64], rows: int) -> float:
    """The level to which water rises in vessels of these widths and capacities."""
    full = sizes / weight
    order = np.argsort(full)
    given, width = 0.0, float(weight.sum())
    for place in order:
        if given + full[place] * width >= rows:
            break
        given += float(sizes[place])
        width -= float(weight[place])
    else:
        return float(full.max())
    return (rows - given) / width


def weight_of(path: Sequence[str], given: Mapping[str, float]) -> float:
    """The weight of a node, by its own name or the nearest one above it that is given; 1 where none is."""
    return next((given[name] for name in reversed(path) if name in given), 1.0)


def weights_of(
    names: Mapping[tuple[str, ...], int], given: Mapping[str, float], empty: Iterable[Sequence[str]] = ()
) -> list[float]:
    """The weight of each node.

    Args:
        empty: further nodes that may be given a weight, although they have no rows.

    Raises:
        InputError: a name is no node of the rows.
    """
    known = {name for path in (*names, *empty) for name in path}
    for name in given:
        if name not in known:
            raise InputError(
                f"weights: no row of the release is under '{shown(name)}'; name a field, sub-field or discipline id"
            )
    return [weight_of(path, given) for path in names]
