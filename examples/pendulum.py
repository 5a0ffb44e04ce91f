"""Length and friction of a pendulum, fitted through a Runge-Kutta integrator."""

import numpy as np

import corrente as co


def motion(state, length, friction):
    angle, speed = state
    return np.stack([speed, -9.81 / length * np.sin(angle) - friction * speed])


def swing(length, friction, start, dt, steps):
    """Integrate with the classic method of order four and return the angle after each step."""
    state, angles = np.array(start), []
    for _ in range(steps):
        k1 = motion(state, length, friction)
        k2 = motion(state + dt / 2 * k1, length, friction)
        k3 = motion(state + dt / 2 * k2, length, friction)
        k4 = motion(state + dt * k3, length, friction)
        state = state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        angles.append(state[0])
    return np.stack(angles)


def misfit(params, seen, dt):
    length, friction = params
    return np.mean((swing(length, friction, [1.0, 0.0], dt, len(seen)) - seen) ** 2)


def main():
    rng, dt, true = np.random.default_rng(1), 0.05, (1.3, 0.25)
    seen = swing(*true, [1.0, 0.0], dt, 80) + 0.01 * rng.normal(size=80)
    params = np.array([1.0, 0.1])
    print(co.check_grads(lambda p: misfit(p, seen[:10], dt), (params,)).says.en)
    first = misfit(params, seen, dt)
    for _ in range(6):
        # Gauss-Newton: all derivatives of the path in two forward passes
        path = lambda p: swing(p[0], p[1], [1.0, 0.0], dt, 80)
        J = co.jacfwd(path)(params)
        params = params + np.linalg.lstsq(J, seen - path(params), rcond=None)[0]
    last = misfit(params, seen, dt)
    print(f"mean square misfit {first:.2e} -> {last:.2e}")
    print(f"length and friction: true {true}, found {params.round(3)}")
    assert np.allclose(params, true, atol=0.01)
    slope = co.grad(misfit)(params, seen, dt)
    assert np.linalg.norm(slope) < 1e-6


if __name__ == "__main__":
    main()
