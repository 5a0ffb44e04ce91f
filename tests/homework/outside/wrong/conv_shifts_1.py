import numpy as np


def conv2d(img, ker):
  """One image, one channel, no padding: sum of shifted copies."""
  kh, kw = ker.shape
  oh, ow = img.shape[0] - kh + 1, img.shape[1] - kw + 1
  return sum(ker[u, v] * img[u:u + oh, v:v + ow] for u in range(kh) for v in range(kw))


def conv2d_backward(gout, img, ker):
  kh, kw = ker.shape
  oh, ow = gout.shape
  # kernel: correlate the image with the upstream gradient
  gker = np.array([[(gout * img[u:u + oh, v:v + ow]).sum() for v in range(kw)] for u in range(kh)])
  # image: full correlation of the upstream gradient with the flipped kernel
  padded = np.pad(gout, ((kh - 1, kh - 1), (kw - 1, kw - 1)))
  flipped = ker
  gimg = conv2d(padded, flipped)
  return gimg, gker


def example():
  rng = np.random.default_rng(1362)
  return rng.normal(size=(5, 5)), rng.normal(size=(3, 3))
