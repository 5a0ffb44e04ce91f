"""Noise levels of a moving target, learned through the log-likelihood of a Kalman filter."""

import numpy as np

import corrente as co

F = np.array([[1.0, 0.1], [0.0, 1.0]])  # a step of 0.1 s: position and velocity
H = np.array([[1.0, 0.0]])  # only the position is seen


def log_likelihood(log_noise, ys):
    """Return log p(ys) for log standard deviations of the acceleration and of the sensor."""
    pushed, seen = np.exp(2.0 * log_noise)
    Q = pushed * np.array([[0.1**4 / 4, 0.1**3 / 2], [0.1**3 / 2, 0.1**2]])
    R = seen * np.eye(1)
    x, P = np.zeros(2), np.eye(2)
    total = 0.0
    for y in ys:
        x, P = F @ x, F @ P @ F.T + Q
        away = y - H @ x
        S = H @ P @ H.T + R
        total -= 0.5 * (
            away @ np.linalg.solve(S, away) + np.linalg.slogdet(S)[1] + np.log(2 * np.pi)
        )
        K = np.linalg.solve(S, H @ P).T
        x, P = x + K @ away, P - K @ H @ P
    return total


def measure(rng, steps, noise):
    x, ys = np.zeros(2), []
    for _ in range(steps):
        x = F @ x + noise[0] * rng.normal() * np.array([0.1**2 / 2, 0.1])
        ys.append(H @ x + noise[1] * rng.normal(size=1))
    return np.array(ys)


def main():
    true = np.array([2.0, 0.3])
    ys = measure(np.random.default_rng(0), 60, true)
    guess = np.log([0.5, 1.0])
    checked = co.check_grads(lambda p: log_likelihood(p, ys[:8]), (guess,))
    print(checked.says.en)
    ascent = co.value_and_grad(log_likelihood)
    first = log_likelihood(guess, ys)
    for _ in range(40):
        value, slope = ascent(guess, ys)
        guess = guess + 0.02 * slope
    print(f"log-likelihood {first:.2f} -> {value:.2f}")
    print(f"standard deviations: true {true}, found {np.exp(guess).round(3)}")
    assert value > first + 10
    assert abs(np.exp(guess[1]) - true[1]) < 0.1


if __name__ == "__main__":
    main()
