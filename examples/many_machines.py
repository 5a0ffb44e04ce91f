"""Training on many machines, here as processes: one or two of them end in the same bits."""

import numpy as np

import corrente as co
from corrente.training.contributions import shares


def loss(params, x, y):
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["v"] - y) ** 2)


def beginning(rng):
    return {"W": rng.normal(size=(4, 16)), "b": np.zeros(16), "v": 0.1 * rng.normal(size=16)}


def bits(params):
    return b"".join(value.tobytes() for value in params.values())


def main():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 4))
    y = np.sin(X[:, 0]) * X[:, 1]
    params = beginning(rng)
    print(co.check_grads(lambda p: loss(p, X[:9], y[:9]), (params,), order=1).says.en)

    # each minibatch takes 32 rows from each of 16 shards, and their gradients are summed in a tree
    given = {"rate": 0.02, "epochs": 3, "batch_size": 512}
    alone, together = (co.train(loss, params, (X, y), cluster=n, **given) for n in (1, 2))
    print("one process:  ", alone)
    print("two processes:", together)
    assert bits(alone.params) == bits(together.params)
    assert together.best_loss < together.history[0].loss

    # who makes the gradient? a shard measured in another unit, and one with a hole
    y[1000:1250] *= 500
    y[1813] = np.nan
    found = shares(loss, params, (X, y), batch_size=512)
    loudest = max((s for s in found if s.finite), key=lambda s: s.fraction)
    print(f"shard {loudest.shard} makes {loudest.fraction:.0%} of the norm")
    [spoilt] = [s for s in found if not s.finite]
    print(f"NaN only from shard {spoilt.shard}, row {spoilt.first_bad_row}")
    assert loudest.start == 1000
    assert spoilt.first_bad_row == 1813


# a worker begins by importing this file: it must not train as well
if __name__ == "__main__":
    main()
