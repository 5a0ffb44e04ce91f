# -*- coding: utf-8 -*-
# my solution

def circuit(x, y, z):
    q = x + y
    f = q * z
    dq = q
    dz = q
    dx = 1.0 * dq
    dy = 1.0 * dq
    return f, dx, dy, dz


def example():
    return -2.0, 5.0, -4.0
