"""A small convolutional network on scikit-learn's handwritten digits."""

import numpy as np
from sklearn.datasets import load_digits

import corrente as co
from corrente import nn


def scores(params, images):
    hidden = nn.relu(nn.conv(images, params["kernel1"], padding="same") + params["bias1"])
    hidden = nn.max_pool(hidden, 2)
    hidden = nn.relu(nn.conv(hidden, params["kernel2"]) + params["bias2"])
    return hidden.reshape(len(images), -1) @ params["W"] + params["b"]


def loss(params, images, labels):
    return nn.cross_entropy(scores(params, images), labels)


def start(rng, dtype):
    draw = lambda *shape: rng.normal(size=shape) * np.sqrt(2.0 / np.prod(shape[1:]))
    params = {
        "kernel1": draw(8, 1, 3, 3),
        "bias1": np.zeros((8, 1, 1)),
        "kernel2": draw(16, 8, 3, 3),
        "bias2": np.zeros((16, 1, 1)),
        "W": draw(64, 10) * 0.1,
        "b": np.zeros(10),
    }
    return {name: value.astype(dtype) for name, value in params.items()}


def main():
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).reshape(-1, 1, 8, 8).astype(np.float32)
    seen, held = slice(0, 1400), slice(1400, None)
    rng = np.random.default_rng(5)
    # not the digits themselves: where all pixels are 0, relu and the pools stand on their kinks
    few = rng.normal(size=(2, 1, 8, 8))
    double = start(rng, np.float64)
    print(co.check_grads(lambda p: loss(p, few, labels[:2]), (double,), order=1).says.en)
    params = start(rng, np.float32)
    speed = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(5):
        order = rng.permutation(1400)
        for batch in order.reshape(-1, 50):
            value, slope = co.value_and_grad(loss)(params, images[seen][batch], labels[batch])
            for name in params:
                speed[name] = 0.9 * speed[name] - 0.05 * slope[name]
                params[name] = params[name] + speed[name]
        right = np.mean(np.argmax(scores(params, images[held]), axis=1) == labels[held])
        print(f"epoch {epoch + 1}: loss of the last batch {value:.3f}, right {right:.1%}")
    assert all(value.dtype == np.float32 for value in slope.values())
    assert right > 0.9


if __name__ == "__main__":
    main()
