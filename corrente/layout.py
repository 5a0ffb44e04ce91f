"""Layered drawing of a directed graph with ports: plain numbers in, plain numbers out.

Sugiyama's four stages: layers, order within each layer, coordinates, routes. Long edges pass
through layers as thin dummy nodes, so that nothing runs through a box. Every stage is a loop over
lists in a fixed order: the same graph gives the same drawing, in any process.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

Point = tuple[float, float]

ORDER_ROUNDS = 12
HEIGHT_ROUNDS = 15
SWAPPABLE = 1500
EAGER = 1.25  # the side a sweep comes from counts a little more: a chain follows, and is level


class Node(NamedTuple):
    """A rectangle with ports: `ins` on its left side, `outs` on its right, from its top.

    A node with a `reach` moves right, to just before its first reader, when it would otherwise
    stand more than `reach` layers before that; None keeps it as far left as it can be.
    """

    width: float
    height: float
    ins: tuple[float, ...] = ()
    outs: tuple[float, ...] = ()
    reach: int | None = None


class Edge(NamedTuple):
    """From output `port` of node `tail` to input `slot` of node `head`; tail < head."""

    tail: int
    port: int
    head: int
    slot: int


class Spacing(NamedTuple):
    """Distances: between nodes of a layer, between layers, and the room a passing wire takes.

    Two passing wires are as far apart as one takes room.
    `square` routes at right angles, each wire's vertical on a `track` of its own; otherwise a
    segment that is not level lies between two layers, to be drawn as a curve.
    """

    between: float
    gap: float
    wire: float
    track: float
    square: bool


class Placement(NamedTuple):
    """Where everything is: one layer, x and y (top left) per node, one route per edge."""

    layers: tuple[int, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]
    routes: tuple[tuple[Point, ...], ...]
    width: float
    height: float


class _Segment(NamedTuple):
    """A piece of an edge between neighbouring layers; offsets are from the items' tops."""

    tail: int
    leaves: float
    head: int
    enters: float


class _Graph(NamedTuple):
    """Nodes and dummies together: `items` below `real` are nodes, the others dummies."""

    real: int
    layer: list[int]
    height: list[float]
    chains: list[list[int]]
    lefts: list[list[_Segment]]
    rights: list[list[_Segment]]


def arrange(nodes: Sequence[Node], edges: Sequence[Edge], spacing: Spacing) -> Placement:
    """Lay a graph out in layers from left to right.

    Nodes come in an order in which every edge goes forward (`tail < head`), or ValueError.

    >>> placed = arrange([Node(2, 1, (), (0,)), Node(2, 1, (0,), ())], [Edge(0, 0, 1, 0)],
    ...                  Spacing(1, 3, 1, 1, True))
    >>> placed.layers, placed.x, placed.routes
    ((0, 1), (0.0, 5.0), (((2.0, 0.0), (5.0, 0.0)),))
    """
    layer = _assign_layers(nodes, edges)
    graph = _split(nodes, edges, layer)
    rows = _order(graph)
    y = _align(graph, rows, spacing)
    return _route(nodes, edges, graph, rows, y, spacing)


def _assign_layers(nodes: Sequence[Node], edges: Sequence[Edge]) -> list[int]:
    layer = [0] * len(nodes)
    heads: list[list[int]] = [[] for _ in nodes]
    for edge in sorted(edges, key=lambda edge: edge.head):
        if edge.tail >= edge.head:
            raise ValueError(f"edge {edge} goes backward")
        layer[edge.head] = max(layer[edge.head], layer[edge.tail] + 1)
        heads[edge.tail].append(edge.head)
    for k in reversed(range(len(nodes))):
        reach = nodes[k].reach
        if reach is not None and heads[k]:
            latest = min(layer[head] for head in heads[k]) - 1
            if latest - layer[k] > reach:
                layer[k] = latest
    return layer


def _split(nodes: Sequence[Node], edges: Sequence[Edge], layer: list[int]) -> _Graph:
    """Cut long edges into segments; edges that leave by one port share their dummies."""
    layer, height = list(layer), [node.height for node in nodes]
    trunks: dict[tuple[int, int, int], int] = {}
    segments: dict[_Segment, None] = {}
    chains = []
    for edge in edges:
        chain = [edge.tail]
        for level in range(layer[edge.tail] + 1, layer[edge.head]):
            key = (edge.tail, edge.port, level)
            if key not in trunks:
                trunks[key] = len(layer)
                layer.append(level)
                height.append(0.0)
            chain.append(trunks[key])
        chain.append(edge.head)
        chains.append(chain)
        for tail, head in pairwise(chain):
            leaves = nodes[edge.tail].outs[edge.port] if tail == edge.tail else 0.0
            enters = nodes[edge.head].ins[edge.slot] if head == edge.head else 0.0
            segments[_Segment(tail, leaves, head, enters)] = None
    lefts: list[list[_Segment]] = [[] for _ in layer]
    rights: list[list[_Segment]] = [[] for _ in layer]
    for segment in segments:
        rights[segment.tail].append(segment)
        lefts[segment.head].append(segment)
    return _Graph(len(nodes), layer, height, chains, lefts, rights)


# --- order within layers: barycentres of ports, then swaps of neighbours -------------------------


def _order(graph: _Graph) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(graph.layer, default=-1) + 1)]
    for item, level in enumerate(graph.layer):
        rows[level].append(item)
    best, fewest = [list(row) for row in rows], _crossings(graph, rows)
    for turn in range(ORDER_ROUNDS):
        if fewest == 0:
            break
        forward = turn % 2 == 0
        _sweep(graph, rows, forward)
        crossings = _crossings(graph, rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    if fewest and len(graph.layer) <= SWAPPABLE:
        _swap(graph, best)
    return best


def _ranks(rows: Iterable[Sequence[int]]) -> dict[int, int]:
    return {item: rank for row in rows for rank, item in enumerate(row)}


def _sweep(graph: _Graph, rows: list[list[int]], forward: bool) -> None:
    """Sort each layer by the mean place of what it is joined to in the layer before it."""
    levels = range(1, len(rows)) if forward else range(len(rows) - 2, -1, -1)
    for level in levels:
        rank = _ranks([rows[level - 1 if forward else level + 1]])
        centres = {}
        for item in rows[level]:
            places = [
                _place(graph, rank, segment, forward) for segment in _side(graph, item, forward)
            ]
            if places:
                centres[item] = sum(places) / len(places)
        moving = iter(sorted(centres, key=lambda item: centres[item]))
        rows[level] = [next(moving) if item in centres else item for item in rows[level]]


def _side(graph: _Graph, item: int, left: bool) -> list[_Segment]:
    return graph.lefts[item] if left else graph.rights[item]


def _place(graph: _Graph, rank: dict[int, int], segment: _Segment, tail: bool) -> float:
    """Return the place of a segment's far end: the item's rank and, within it, the port."""
    item, offset = (segment.tail, segment.leaves) if tail else (segment.head, segment.enters)
    return rank[item] + (offset + 1.0) / (graph.height[item] + 2.0)


def _crossings(graph: _Graph, rows: list[list[int]]) -> int:
    rank = _ranks(rows)
    total = 0
    for row in rows:
        ends = sorted(
            (_place(graph, rank, segment, True), _place(graph, rank, segment, False))
            for item in row
            for segment in graph.rights[item]
        )
        seen: list[float] = []
        for _, end in ends:
            total += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return total


def _swap(graph: _Graph, rows: list[list[int]]) -> None:
    """Exchange neighbours while that removes crossings."""
    rank = _ranks(rows)

    def ends(item: int) -> tuple[list[float], list[float]]:
        return (
            [_place(graph, rank, segment, True) for segment in graph.lefts[item]],
            [_place(graph, rank, segment, False) for segment in graph.rights[item]],
        )

    for _ in range(ORDER_ROUNDS):
        swapped = False
        for row in rows:
            for k in range(len(row) - 1):
                upper, lower = ends(row[k]), ends(row[k + 1])
                now = sum(a > b for i in (0, 1) for a in upper[i] for b in lower[i])
                then = sum(b > a for i in (0, 1) for a in upper[i] for b in lower[i])
                if then < now:
                    row[k], row[k + 1] = row[k + 1], row[k]
                    rank[row[k]], rank[row[k + 1]] = k, k + 1
                    swapped = True
        if not swapped:
            break


# --- coordinates: weighted medians, kept apart by isotonic regression ----------------------------


def _align(graph: _Graph, rows: list[list[int]], spacing: Spacing) -> list[float]:
    y = [0.0] * len(graph.layer)
    for row in rows:
        for item, top in zip(row, _offsets(graph, row, spacing), strict=True):
            y[item] = top
    for turn in range(HEIGHT_ROUNDS):
        forward = turn % 2 == 0
        both = turn >= HEIGHT_ROUNDS - 5
        for row in rows if forward else reversed(rows):
            wanted = [_wanted(graph, y, item, forward, both) for item in row]
            for item, top in zip(row, _settle(graph, row, wanted, spacing), strict=True):
                y[item] = top
        for row in rows if both else ():
            _straighten(graph, row, y, spacing)
    least = min(y, default=0.0)
    return [top - least for top in y]


def _straighten(graph: _Graph, row: list[int], y: list[float], spacing: Spacing) -> None:
    """Make dummies, sources and sinks level with what they join, where the others let them."""
    wanted = []
    for item in row:
        dummy = item >= graph.real
        if dummy or not graph.lefts[item] or not graph.rights[item]:
            wanted.append((_wanted(graph, y, item, True, not dummy)[0], 1.0))
        else:
            wanted.append((y[item], 1e6))
    for item, top in zip(row, _settle(graph, row, wanted, spacing), strict=True):
        y[item] = top


def _wanted(
    graph: _Graph, y: list[float], item: int, forward: bool, both: bool
) -> tuple[float, float]:
    """Return where an item would make its wires level, and how much that matters."""
    both = both and item < graph.real  # a dummy between two sides would follow neither
    pulls = []
    if forward or both:
        eager = EAGER if forward else 1.0
        for s in graph.lefts[item]:
            pulls.append((y[s.tail] + s.leaves - s.enters, eager * _weight(graph, s)))
    if not forward or both:
        eager = 1.0 if forward else EAGER
        for s in graph.rights[item]:
            pulls.append((y[s.head] + s.enters - s.leaves, eager * _weight(graph, s)))
    if not pulls:
        return y[item], 0.1
    return _median(pulls), sum(weight for _, weight in pulls)


def _weight(graph: _Graph, segment: _Segment) -> float:
    """Weigh a segment: long wires want most to be level, a lone source's wire least."""
    dummies = (segment.tail >= graph.real) + (segment.head >= graph.real)
    if dummies:
        return 4.0 * dummies
    if not _is_lone(graph, segment.tail):
        return 2.0
    return 1.5 if all(_is_lone(graph, s.tail) for s in graph.lefts[segment.head]) else 0.5


def _is_lone(graph: _Graph, item: int) -> bool:
    return not graph.lefts[item] and len(graph.rights[item]) == 1


def _median(pulls: list[tuple[float, float]]) -> float:
    """Return the weighted median, the middle of the interval where it is not unique."""
    pulls.sort()
    half = sum(weight for _, weight in pulls) / 2
    reached = 0.0
    for k, (place, weight) in enumerate(pulls):
        reached += weight
        if reached > half:
            return place
        if reached == half:
            return (place + pulls[k + 1][0]) / 2
    return pulls[-1][0]


def _settle(
    graph: _Graph, row: list[int], wanted: list[tuple[float, float]], spacing: Spacing
) -> list[float]:
    """Put a layer's items nearest to where they want to be, in order and apart; whole numbers."""
    blocks: list[tuple[float, float, int]] = []
    offsets = _offsets(graph, row, spacing)
    for (place, weight), offset in zip(wanted, offsets, strict=True):
        mean, total, count = place - offset, weight, 1
        while blocks and blocks[-1][0] >= mean:
            above, heavy, many = blocks.pop()
            mean = (mean * total + above * heavy) / (total + heavy)
            total, count = total + heavy, count + many
        blocks.append((mean, total, count))
    tops = [
        float(int(mean // 1 + (mean % 1 >= 0.5))) for mean, _, count in blocks for _ in range(count)
    ]
    return [top + offset for top, offset in zip(tops, offsets, strict=True)]


def _offsets(graph: _Graph, row: list[int], spacing: Spacing) -> list[float]:
    """Stack a layer's items as tightly as may be; passing wires may run close together."""
    offsets = [0.0] * min(1, len(row))
    for upper, lower in pairwise(row):
        apart = spacing.between if min(upper, lower) < graph.real else spacing.wire
        offsets.append(offsets[-1] + (graph.height[upper] or spacing.wire) + apart)
    return offsets


# --- routes ---------------------------------------------------------------------------------------


class _Net(NamedTuple):
    """What leaves one port across one gap: level at `left`, then to each level of `rights`."""

    key: tuple[int, float]
    left: float
    rights: frozenset[float]


def _route(
    nodes: Sequence[Node],
    edges: Sequence[Edge],
    graph: _Graph,
    rows: list[list[int]],
    y: list[float],
    spacing: Spacing,
) -> Placement:
    wide = [max((nodes[i].width for i in row if i < graph.real), default=0.0) for row in rows]
    start, tracks, lowest = 0.0, [], 0.0
    starts = []
    for level, row in enumerate(rows):
        starts.append(start)
        segments = [s for item in row for s in graph.rights[item]]
        channel, width, low = _channel(segments, y, spacing)
        tracks.append({key: _shift(turns, start + wide[level]) for key, turns in channel.items()})
        lowest = max(lowest, low)
        start += wide[level] + width
    if rows:
        start = starts[-1] + wide[-1]
    x = [starts[graph.layer[item]] for item in range(graph.real)]

    def trace(edge: Edge, chain: list[int]) -> tuple[Point, ...]:
        leaves = nodes[edge.tail].outs[edge.port]
        points = [(x[edge.tail] + nodes[edge.tail].width, y[edge.tail] + leaves)]
        for tail, head in pairwise(chain):
            level = graph.layer[tail]
            offset = leaves if tail == edge.tail else 0.0
            enters = nodes[edge.head].ins[edge.slot] if head == edge.head else 0.0
            points.append((starts[level] + wide[level], y[tail] + offset))
            end = y[head] + enters
            for bend in tracks[level].get((tail, offset), ()):
                points.append((bend[0], points[-1][1]))
                points.append((bend[0], end if bend[1] is None else bend[1]))
            points.append((starts[level + 1], end))
        return _simplify(points)

    routes = tuple(trace(edge, chain) for edge, chain in zip(edges, graph.chains, strict=True))
    bottoms = [y[i] + (graph.height[i] or spacing.wire) for i in range(len(y))]
    height = max([*bottoms, lowest], default=0.0)
    return Placement(
        tuple(graph.layer[: graph.real]), tuple(x), tuple(y[: graph.real]), routes, start, height
    )


Bend = tuple[float, float | None]  # where the vertical stands, and the level it leads to


def _shift(bends: list[Bend], by: float) -> list[Bend]:
    return [(x + by, level) for x, level in bends]


def _channel(
    segments: list[_Segment], y: list[float], spacing: Spacing
) -> tuple[dict[tuple[int, float], list[Bend]], float, float]:
    """Give every net of one gap its bends; return them, the gap's width and its lowest level."""
    ends: dict[tuple[int, float], list[float]] = {}
    for s in segments:
        ends.setdefault((s.tail, s.leaves), []).append(y[s.head] + s.enters)
    nets = [
        _Net(key, y[key[0]] + key[1], frozenset(rights))
        for key, rights in ends.items()
        if set(rights) != {y[key[0]] + key[1]}
    ]
    if not spacing.square:
        steepest = max((abs(r - n.left) for n in nets for r in n.rights), default=0.0)
        return {}, spacing.gap + min(steepest / 6, spacing.gap), 0.0
    used = {net.left for net in nets} | {level for rights in ends.values() for level in rights}
    used |= {y[s.tail] + s.leaves for s in segments}
    pieces, links, lowest = _untie(nets, used)
    track = _assign_tracks(pieces, links)
    count = max(track.values(), default=-1) + 1
    margin = spacing.gap // 2
    bends: dict[tuple[int, float], list[Bend]] = {}
    for k in sorted(track, key=lambda k: track[k]):
        level = next(iter(pieces[k].rights)) if k in links else None
        bends.setdefault(pieces[k].key, []).append((margin + track[k] * spacing.track, level))
    return bends, spacing.gap + max(0, count - 1) * spacing.track + (count > 0), lowest


def _before(nets: list[_Net], links: dict[int, int]) -> list[set[int]]:
    """Say which nets must turn further left: their level on the left is another's on the right."""
    found: list[set[int]] = [set() for _ in nets]
    for k, net in enumerate(nets):
        for m, other in enumerate(nets):
            if other.key != net.key and other.left in net.rights:
                found[k].add(m)
    for first, second in links.items():
        found[second].add(first)
    return found


def _untie(nets: list[_Net], used: set[float]) -> tuple[list[_Net], dict[int, int], float]:
    """Break circles of "must turn further left" by letting a net take a free level between."""
    nets, links = list(nets), {}
    lowest = 0.0
    while (tied := _first_tied(_before(nets, links))) is not None:
        net = nets[tied]
        free = next(
            level
            for distance in range(1, 2 * len(used) + 4)
            for level in (net.left + distance, net.left - distance)
            if level >= 0 and level not in used
        )
        used.add(free)
        lowest = max(lowest, free + 1)
        nets[tied] = net._replace(rights=frozenset((free,)))
        links[tied] = len(nets)
        nets.append(_Net(net.key, free, net.rights))
    return nets, links, lowest


def _first_tied(before: list[set[int]]) -> int | None:
    waiting = dict(enumerate(before))
    while waiting:
        ready = [k for k, needs in waiting.items() if not needs & waiting.keys()]
        if not ready:
            return min(waiting)
        for k in ready:
            del waiting[k]
    return None


def _assign_tracks(nets: list[_Net], links: dict[int, int]) -> dict[int, int]:
    """Give each vertical the leftmost track that is free along it and right of its befores."""
    before = _before(nets, links)
    track: dict[int, int] = {}
    taken: dict[int, list[tuple[float, float]]] = {}
    while len(track) < len(nets):
        for k, net in enumerate(nets):
            if k in track or not before[k] <= track.keys():
                continue
            low, high = min(net.left, *net.rights), max(net.left, *net.rights)
            lane = max((track[m] + 1 for m in before[k]), default=0)
            while any(low <= b and a <= high for a, b in taken.get(lane, ())):
                lane += 1
            track[k] = lane
            taken.setdefault(lane, []).append((low, high))
    return track


def _simplify(points: list[Point]) -> tuple[Point, ...]:
    """Drop points that repeat, and those in the middle of a straight run."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) >= 2 and (
            kept[-2][1] == kept[-1][1] == point[1] or kept[-2][0] == kept[-1][0] == point[0]
        ):
            kept[-1] = point
        else:
            kept.append(point)
    return tuple(kept)
