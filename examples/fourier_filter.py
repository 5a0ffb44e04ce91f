"""A filter learned in frequency: which parts of a noisy signal to keep."""

import numpy as np

import corrente as co


def filtered(gains, noisy):
    """Weigh the frequencies of a real signal and go back to time."""
    return np.fft.irfft(gains * np.fft.rfft(noisy), n=noisy.shape[-1])


def misfit(gains, noisy, clean):
    return np.mean((filtered(gains, noisy) - clean) ** 2)


def main():
    rng, t = np.random.default_rng(4), np.arange(64) / 64
    clean = np.stack([np.sin(2 * np.pi * (3 * t + rng.random())) for _ in range(40)])
    clean += 0.5 * np.stack([np.sin(2 * np.pi * (7 * t + rng.random())) for _ in range(40)])
    noisy = clean + 0.5 * rng.normal(size=clean.shape)
    gains = np.ones(33)
    small = co.check_grads(lambda g, x: misfit(g, x, clean[:2]), (gains, noisy[:2]))
    print(small.says.en)
    first = misfit(gains, noisy, clean)
    # the misfit is a parabola in the gains: one step of Newton ends at its lowest point
    bent = co.hessian(misfit)(gains, noisy, clean)
    gains = gains - np.linalg.solve(bent, co.grad(misfit)(gains, noisy, clean))
    print(f"mean square error {first:.4f} -> {misfit(gains, noisy, clean):.4f}")
    print(f"gains at 2, 3, 4 and 7 cycles: {gains[[2, 3, 4, 7]].round(2)}")
    # and the best gain at each frequency is known: Wiener's
    X, Y = np.fft.rfft(noisy), np.fft.rfft(clean)
    wiener = np.sum((X.conj() * Y).real, axis=0) / np.sum(np.abs(X) ** 2, axis=0)
    assert np.allclose(gains, wiener)
    # the gradient of a real loss in a complex z = x + iy is dL/dx - i dL/dy
    spectrum = np.fft.rfft(noisy[0])
    loss = lambda z: np.sum((np.fft.irfft(z, n=64) - clean[0]) ** 2)
    slope = co.grad(loss)(spectrum)
    step = 1e-6 * (rng.normal(size=33) + 1j * rng.normal(size=33))
    change = (loss(spectrum + step) - loss(spectrum - step)) / 2
    assert np.isclose(np.sum(slope * step).real, change, rtol=1e-5)


if __name__ == "__main__":
    main()
