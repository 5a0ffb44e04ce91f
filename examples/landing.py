"""Optimal control: thrusts that bring a craft to rest on the ground, through the whole flight."""

import numpy as np

import corrente as co

DT, STEPS, GRAVITY = 0.2, 20, np.array([0.0, -1.6])
START = (np.array([3.0, 8.0]), np.array([-0.5, -1.0]))


def flight(thrusts):
    """Return position and velocity after every step; drag grows with the square of the speed."""
    positions = np.zeros((STEPS + 1, 2), like=thrusts)
    position, velocity = START
    positions[0] = position
    for k in range(STEPS):
        drag = 0.05 * velocity * np.linalg.norm(velocity)
        velocity = velocity + DT * (thrusts[k] + GRAVITY - drag)
        position = position + DT * velocity
        positions[k + 1] = position
    return positions, velocity


def cost(thrusts):
    positions, velocity = flight(thrusts)
    miss = np.sum(positions[-1] ** 2) + np.sum(velocity**2)
    under = np.sum(np.maximum(-positions[:-1, 1], 0.0) ** 2)
    return 50.0 * miss + 50.0 * under + DT * np.sum(thrusts**2)


def newton(thrusts, rounds=6):
    """Solve each Newton step by conjugate gradients on products with the Hessian."""
    for _ in range(rounds):
        slope = co.grad(cost)(thrusts)
        step, rest = np.zeros_like(thrusts), -slope
        along = rest
        for _ in range(20):
            bent = co.hvp(cost, (thrusts,), (along,))
            size = np.sum(rest**2) / np.sum(along * bent)
            step, before = step + size * along, rest
            rest = rest - size * bent
            along = rest + np.sum(rest**2) / np.sum(before**2) * along
        thrusts = thrusts + step
    return thrusts


def main():
    thrusts = np.tile(-GRAVITY, (STEPS, 1))
    print(co.check_grads(cost, (thrusts,)).says.en)
    best = newton(thrusts)
    positions, velocity = flight(best)
    print(f"cost {cost(thrusts):.2f} -> {cost(best):.2f}")
    print(f"at {positions[-1].round(3)} with velocity {velocity.round(3)}")
    assert np.linalg.norm(co.grad(cost)(best)) < 1e-4
    assert np.linalg.norm(positions[-1]) < 0.1
    assert np.linalg.norm(velocity) < 0.1


if __name__ == "__main__":
    main()
