"""A head of attention that learns to find, further back, the word that came after this one."""

import numpy as np

import corrente as co
from corrente import nn

WORDS, LENGTH, DEPTH = 8, 12, 16


def scores(params, words):
    """Return scores of the next word: attend from each word to the one after its like."""
    x = nn.embedding(params["table"], words)
    before = np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], axis=1)
    # one projection for queries and keys: a word looks for its like
    q, k, v = x @ params["Q"], before @ params["Q"], x @ params["V"]
    mixed = nn.attention(q, k, v, np.tri(words.shape[1], dtype=bool))
    return nn.layer_norm(mixed, params["scale"]) @ params["table"].T


def loss(params, words):
    half = LENGTH // 2  # only the second half, which repeats the first, can be known
    return nn.cross_entropy(scores(params, words)[:, half:-1], words[:, half + 1 :])


def sequences(rng, count):
    """Draw sentences of distinct words, each said twice."""
    half = np.stack([rng.permutation(WORDS)[: LENGTH // 2] for _ in range(count)])
    return np.concatenate([half, half], axis=1)


def main():
    rng = np.random.default_rng(7)
    params = {
        name: rng.normal(size=(rows, DEPTH)) / np.sqrt(DEPTH)
        for name, rows in (("table", WORDS), ("Q", DEPTH), ("V", DEPTH))
    } | {"scale": np.ones(DEPTH)}
    few = sequences(rng, 1)
    print(co.check_grads(lambda p: loss(p, few), (params,), order=1).says.en)
    first = loss(params, sequences(rng, 100))
    for _ in range(200):
        slope = co.grad(loss)(params, sequences(rng, 32))
        params = {name: p - 0.5 * slope[name] for name, p in params.items()}
    fresh = sequences(rng, 100)
    right = np.mean(np.argmax(scores(params, fresh), axis=-1)[:, 6:-1] == fresh[:, 7:])
    print(f"loss {first:.3f} -> {loss(params, fresh):.3f}; words foretold: {right:.1%}")
    assert right > 0.95
    # what is said later never reaches back
    d = co.grad(lambda x: np.sum(nn.attention(x, x, x, np.tri(5, dtype=bool))[2]))(np.ones((5, 2)))
    assert np.all(d[3:] == 0)
    assert np.any(d[:3] != 0)


if __name__ == "__main__":
    main()
