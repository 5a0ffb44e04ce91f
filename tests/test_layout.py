from __future__ import annotations

import random
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corrente import layout
from corrente.layout import Edge, Node, Placement, Spacing, arrange

CURVED = Spacing(between=18, gap=40, wire=10, track=10, square=False)
SQUARE = Spacing(between=1, gap=3, wire=1, track=2, square=True)


def make_graph(seed: int, count: int, cells: bool) -> tuple[list[Node], list[Edge]]:
    """Make nodes with up to three inputs, wired to any earlier ones."""
    draw = random.Random(seed)
    pitch = 2 if cells else 28
    nodes, edges = [], []
    for k in range(count):
        inputs = draw.randint(0, min(3, k))
        outputs = draw.choice([1, 1, 1, 2])
        slots = max(inputs, outputs, 1)
        nodes.append(
            Node(
                width=draw.randint(3, 9) * (1 if cells else 20),
                height=slots * pitch + 1,
                ins=tuple(1.0 + pitch * i for i in range(inputs)),
                outs=tuple(1.0 + pitch * i for i in range(outputs)),
                reach=draw.choice([None, 0, 3]),
            )
        )
        for slot in range(inputs):
            tail = draw.randrange(k)
            port = draw.randrange(len(nodes[tail].outs))
            edges.append(Edge(tail, port, k, slot))
    return nodes, edges


graphs = st.tuples(st.integers(0, 10**6), st.integers(1, 22))


def rectangles(nodes: list[Node], placed: Placement) -> list[tuple[float, float, float, float]]:
    return [
        (x, y, x + node.width, y + node.height)
        for node, x, y in zip(nodes, placed.x, placed.y, strict=True)
    ]


@settings(deadline=None, max_examples=60)
@given(graphs, st.booleans())
def test_nodes_keep_apart_and_edges_go_right(case, cells):
    nodes, edges = make_graph(*case, cells)
    placed = arrange(nodes, edges, SQUARE if cells else CURVED)
    for (a, b, c, d), (e, f, g, h) in combinations(rectangles(nodes, placed), 2):
        assert c <= e or g <= a or d <= f or h <= b
    for edge in edges:
        assert placed.layers[edge.tail] < placed.layers[edge.head]
    for x, y, right, bottom in rectangles(nodes, placed):
        assert x >= 0
        assert y >= 0
        assert right <= placed.width
        assert bottom <= placed.height


@settings(deadline=None, max_examples=60)
@given(graphs, st.booleans())
def test_routes_join_their_ports_and_miss_the_nodes(case, cells):
    nodes, edges = make_graph(*case, cells)
    placed = arrange(nodes, edges, SQUARE if cells else CURVED)
    boxes = rectangles(nodes, placed)
    for edge, route in zip(edges, placed.routes, strict=True):
        tail, head = nodes[edge.tail], nodes[edge.head]
        assert route[0] == (boxes[edge.tail][2], placed.y[edge.tail] + tail.outs[edge.port])
        assert route[-1] == (placed.x[edge.head], placed.y[edge.head] + head.ins[edge.slot])
        for (x, y), (px, py) in pairwise(route):
            assert px >= x
            low, high = sorted((y, py))
            for a, b, c, d in boxes:
                apart = px <= a or c <= x or high < b or d <= low
                assert apart, "a curve stays within the box of its ends"


def cells_of(route) -> set[tuple[tuple[float, float], str]]:
    found = set()
    for (x, y), (px, py) in pairwise(route):
        if y == py:
            found |= {((c, y), "across") for c in range(int(x), int(px))}
        else:
            found |= {((x, c), "down") for c in range(int(min(y, py)), int(max(y, py)))}
    return found


@settings(deadline=None, max_examples=150)
@given(graphs)
def test_square_routes_of_two_wires_may_cross_but_never_run_along_each_other(case):
    nodes, edges = make_graph(*case, True)
    placed = arrange(nodes, edges, SQUARE)
    nets: dict[tuple[int, int], set] = {}
    for edge, route in zip(edges, placed.routes, strict=True):
        for (x, y), (px, py) in pairwise(route):
            assert x == px or y == py
        nets.setdefault((edge.tail, edge.port), set()).update(cells_of(route))
    for one, other in combinations(nets.values(), 2):
        assert not one & other


def test_two_wires_that_exchange_their_levels_are_untied():
    nodes = [Node(3, 3, (), (1,)), Node(3, 3, (), (1,)), Node(3, 7, (1, 5), ())]
    placed = arrange(nodes, [Edge(0, 0, 2, 1), Edge(1, 0, 2, 0)], SQUARE)
    one, other = (cells_of(route) for route in placed.routes)
    assert not one & other


@pytest.mark.parametrize("without", ["_sweep", "_swap"])
def test_crossings_are_avoided_where_they_can_be(monkeypatch, without):
    monkeypatch.setattr(layout, without, lambda *_: None)  # each of the two must do it alone
    sources = [Node(3, 3, (), (1,), 0) for _ in range(4)]
    sinks = [Node(3, 3, (1,), ()) for _ in range(4)]
    edges = [Edge(k, 0, 7 - k, 0) for k in range(4)]
    placed = arrange([*sources, *sinks], edges, CURVED)
    assert all(start[1] == end[1] for start, end in placed.routes), "level: nothing crosses"


def test_nodes_that_want_one_place_share_it_evenly():
    nodes = [Node(1, 11, (), (5,)), Node(1, 11, (), (5,)), Node(1, 20, (9, 12), ())]
    placed = arrange(nodes, [Edge(0, 0, 2, 0), Edge(1, 0, 2, 1)], CURVED)
    (a, b), (c, d) = (tuple(point[1] for point in route) for route in placed.routes)
    assert b - a == c - d > 0


def test_argument_order_is_port_order():
    nodes = [Node(3, 3, (), (1,)), Node(3, 5, (1, 3), ())]
    placed = arrange(nodes, [Edge(0, 0, 1, 0), Edge(0, 0, 1, 1)], SQUARE)
    first, second = (route[-1] for route in placed.routes)
    assert first[0] == second[0]
    assert first[1] + 2 == second[1]


def test_sources_come_near_their_reader():
    nodes = [Node(1, 1, (), (0,), 0), Node(1, 1, (), (0,), 9)]
    nodes += [Node(1, 1, (0,), (0,)) for _ in range(5)] + [Node(1, 5, (0, 2, 4), ())]
    edges = [Edge(k, 0, k + 1, 0) for k in range(1, 7)]
    edges += [Edge(0, 0, 7, 1), Edge(1, 0, 7, 2)]
    assert arrange(nodes, edges, CURVED).layers == (5, 0, 1, 2, 3, 4, 5, 6)


def test_a_long_chain_is_level_and_needs_no_recursion():
    count = 3000
    nodes = [Node(1, 1, (0,) if k else (), (0,)) for k in range(count)]
    placed = arrange(nodes, [Edge(k, 0, k + 1, 0) for k in range(count - 1)], CURVED)
    assert set(placed.y) == {0.0}
    assert placed.layers == tuple(range(count))


def test_backward_edges_are_refused():
    with pytest.raises(ValueError, match="backward"):
        arrange([Node(1, 1, (0,), (0,))] * 2, [Edge(1, 0, 0, 0)], CURVED)


def test_nothing_at_all():
    assert arrange([], [], CURVED) == Placement((), (), (), (), 0.0, 0.0)
