"""An LSTM that learns to spell a verse, one character after another."""

import numpy as np

import corrente as co
from corrente import nn

TEXT = """the river runs and does not rest, it carries all it knows to sea;
and all it carried it has lost, and what it lost comes back to me.
"""


def step(params, state, letters):
    """Advance by one character: Hochreiter and Schmidhuber (1997), with a forget gate."""
    h, c = state
    gates = np.concatenate([nn.embedding(params["letters"], letters), h], axis=1) @ params["W"]
    i, f, o, g = np.split(gates + params["b"], 4, axis=1)
    c = nn.sigmoid(f) * c + nn.sigmoid(i) * np.tanh(g)
    return nn.sigmoid(o) * np.tanh(c), c


def loss(params, text):
    """Return the mean surprise, in nats, at the next character; text has shape (batch, time)."""
    batch, size = len(text), params["W"].shape[1] // 4
    state, total = (np.zeros((batch, size)),) * 2, 0.0
    for now, following in zip(text.T[:-1], text.T[1:], strict=True):
        state = step(params, state, now)
        total += nn.cross_entropy(state[0] @ params["out"], following)
    return total / (text.shape[1] - 1)


def main():
    alphabet = sorted(set(TEXT))
    numbers = np.array([alphabet.index(c) for c in TEXT])
    text = np.stack([numbers[k : k + 24] for k in range(0, len(numbers) - 24, 6)])
    rng, size, letters = np.random.default_rng(6), 32, len(alphabet)
    params = {
        "letters": 0.5 * rng.normal(size=(letters, 12)),
        "W": rng.normal(size=(12 + size, 4 * size)) / np.sqrt(12 + size),
        "b": np.repeat([0.0, 1.0, 0.0, 0.0], size),
        "out": rng.normal(size=(size, letters)) / np.sqrt(size),
    }
    print(co.check_grads(lambda p: loss(p, text[:2, :5]), (params,), order=1).says.en)
    first = loss(params, text)
    average = {name: np.zeros_like(p) for name, p in params.items()}
    square = {name: np.zeros_like(p) for name, p in params.items()}
    for k in range(1, 81):  # Adam: Kingma and Ba (2015)
        value, slope = co.value_and_grad(loss)(params, text)
        for name, g in slope.items():
            average[name] = 0.9 * average[name] + 0.1 * g
            square[name] = 0.99 * square[name] + 0.01 * g * g
            change = average[name] / (1 - 0.9**k) / (np.sqrt(square[name] / (1 - 0.99**k)) + 1e-8)
            params[name] = params[name] - 0.02 * change
    print(f"surprise at the next of {letters} characters: {first:.3f} -> {value:.3f} nats")
    assert np.isclose(first, np.log(letters), atol=0.5)
    assert value < 0.5


if __name__ == "__main__":
    main()
