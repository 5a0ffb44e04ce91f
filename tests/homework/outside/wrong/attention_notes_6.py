import numpy as np


def attend_and_score(Q, K, V, G):
    # forward; G weighs the outputs to give a single number
    d = Q.shape[-1]
    S = np.dot(Q, K.T)
    P = S / np.sqrt(d)
    E = np.exp(P)
    Z = E.sum(axis=1, keepdims=True)
    A = E / Z
    O = np.dot(A, V)
    f = (O * G).sum()
    # backward
    dO = G
    dA = np.dot(dO, V.T)
    dV = np.dot(A.T, dO)
    dE = dA / Z
    dZ = -(dA * A / Z).sum(axis=1)
    dE += dZ
    dP = dE * E
    dS = dP / np.sqrt(d)
    dQ = np.dot(dS, K)
    dK = np.dot(dS.T, Q)
    return f, dQ, dK, dV


def example():
    rng = np.random.default_rng(1550)
    return tuple(rng.normal(size=(3, 3)) for _ in range(4))
