"""ADBench's bundle adjustment: cameras and points from where the points were seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Contestant, Program, Row
from benchmarks.limits import limit


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the gradient of the sum of squared residuals, and the sum alone."""
    size = (5, 20, 50) if tiny else (49, 7776, 31_843)
    yield Row("bundle adjustment", lambda: contestants(*size), tolerance=1e-8)
    yield Row(
        "bundle adjustment, objective",
        lambda: peers.objectives(adjustment(*size)),
        "value",
        tolerance=1e-8,
    )


def adjustment(cameras: int, points: int, seen: int) -> Program:
    """Return the program; a camera is rotation 3, centre 3, focal, principal point 2, radial 2."""
    rng = np.random.default_rng(4)
    camera = np.concatenate(
        [
            rng.normal(0.0, 0.3, (cameras, 3)),
            rng.normal((0.0, 0.0, -5.0), 0.1, (cameras, 3)),
            rng.normal(1.0, 0.1, (cameras, 1)),
            rng.normal(0.0, 0.1, (cameras, 2)),
            rng.normal(0.0, 0.01, (cameras, 2)),
        ],
        axis=1,
    )
    by = np.arange(seen) * cameras // seen
    what = rng.integers(0, points, seen)
    given = (camera, rng.normal(size=(points, 3)), rng.normal(1.0, 0.1, seen))
    given = (*given, by, what, rng.normal(0.0, 0.2, (seen, 2)))
    return Program(squares, given, (0, 1, 2), torch=squares_torch)


def squares(np_: Any) -> Callable[..., Any]:
    def dot(a: Any, b: Any) -> Any:
        return np_.sum(a * b, axis=1, keepdims=True)

    def rotate(turn: Any, point: Any) -> Any:
        angle = np_.sqrt(dot(turn, turn))
        axis = turn / angle
        cosine, sine = np_.cos(angle), np_.sin(angle)
        crossed = np_.cross(axis, point)
        return point * cosine + crossed * sine + axis * (dot(axis, point) * (1.0 - cosine))

    def run(cameras: Any, points: Any, weights: Any, by: Any, what: Any, seen: Any) -> Any:
        camera = cameras[by]
        moved = rotate(camera[:, 0:3], points[what] - camera[:, 3:6])
        flat = moved[:, 0:2] / moved[:, 2:3]
        r2 = dot(flat, flat)
        bent = flat * (1.0 + camera[:, 9:10] * r2 + camera[:, 10:11] * r2 * r2)
        image = camera[:, 6:7] * bent + camera[:, 7:9]
        errors = weights[:, None] * (image - seen)
        return np_.sum(errors**2) + np_.sum((1.0 - weights**2) ** 2)

    return run


def squares_torch(cameras: Any, points: Any, weights: Any, by: Any, what: Any, seen: Any) -> Any:
    torch = import_module("torch")
    camera = cameras[by]
    turn, point = camera[:, 0:3], points[what] - camera[:, 3:6]
    angle = turn.norm(dim=1, keepdim=True)
    axis = turn / angle
    cosine, sine = angle.cos(), angle.sin()
    along = (axis * point).sum(1, keepdim=True) * (1.0 - cosine)
    moved = point * cosine + torch.linalg.cross(axis, point) * sine + axis * along
    flat = moved[:, 0:2] / moved[:, 2:3]
    r2 = flat.square().sum(1, keepdim=True)
    bent = flat * (1.0 + camera[:, 9:10] * r2 + camera[:, 10:11] * r2 * r2)
    errors = weights[:, None] * (camera[:, 6:7] * bent + camera[:, 7:9] - seen)
    return errors.square().sum() + (1.0 - weights.square()).square().sum()


def contestants(cameras: int, points: int, seen: int) -> Iterator[Contestant]:
    program = adjustment(cameras, points, seen)
    yield from peers.gradients(program)
    made = partial(limit, source="bundle.c", program=program)
    yield made("C", CAMERAS=cameras, POINTS=points, SEEN=seen)
    yield made("C fast-math", flags=["-ffast-math"], CAMERAS=cameras, POINTS=points, SEEN=seen)
