"""A NaN from the branch that was not taken: found, explained, and mended with a proof."""

import numpy as np

import corrente as co
from corrente.doctor import diagnose


def energy(places):
    """Return the sum of the distances of all pairs; a point's distance from itself is left out."""
    apart = places[:, None, :] - places[None, :, :]
    distance = np.sqrt(np.sum(apart**2, axis=-1))
    return np.sum(np.where(np.eye(len(places), dtype=bool), 0.0, distance))


def mended(places):
    """Return the same: the square root never meets a nought."""
    apart = places[:, None, :] - places[None, :, :]
    squares = np.sum(apart**2, axis=-1)
    itself = np.eye(len(places), dtype=bool)
    safe = np.where(~itself, squares, 1.0)
    return np.sum(np.where(itself, 0.0, np.sqrt(safe)))


def main():
    places = np.random.default_rng(0).normal(size=(4, 2))
    print(f"energy {energy(places):.6f}, and its gradient:")
    with np.errstate(all="ignore"):
        print(co.grad(energy)(places))
    found = diagnose(energy, places)
    print(f"\n{found}\n")
    (trap,) = found.findings
    assert trap.code == "where-trap"
    assert "np.sqrt" in trap.where.text
    assert mended(places) == energy(places)
    print(f"the rewrite has the same energy, {mended(places):.6f}, and a gradient:")
    slope = co.grad(mended)(places)
    print(slope)
    # the doctor tried the rewrite before it spoke: the size it foretold is the one that came
    assert np.isclose(trap.effects[1].after, np.linalg.norm(slope))
    print(co.check_grads(mended, (places,)).says.en)
    assert diagnose(mended, places).ok


if __name__ == "__main__":
    main()
