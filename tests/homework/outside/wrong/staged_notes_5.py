# -*- coding: utf-8 -*-
# my solution

import math


def staged(x, y):
    sigy = 1.0 / (1 + math.exp(-y))  # sigmoid in numerator   #(1)
    num = x + sigy  # numerator                               #(2)
    sigx = 1.0 / (1 + math.exp(-x))  # sigmoid in denominator #(3)
    xpy = x + y                                               #(4)
    xpysqr = xpy ** 2                                         #(5)
    den = sigx + xpysqr  # denominator                        #(6)
    invden = 1.0 / den                                        #(7)
    f = num * invden                                          #(8)

    dnum = invden                                             #(8)
    dinvden = num                                             #(8)
    dden = (-1.0 / (den ** 2)) * dinvden                      #(7)
    dsigx = (1) * dden                                        #(6)
    dxpysqr = (1) * dden                                      #(6)
    dxpy = (2 * xpy) * dxpysqr                                #(5)
    dx = (1) * dxpy                                           #(4)
    dy = (1) * dxpy                                           #(4)
    dx += ((1 - sigx) * sigx) * dsigx  # Notice += !!          #(3)
    dx += (1) * dnum                                          #(2)
    dsigy = (1) * dnum                                        #(2)
    dy = ((1 - sigy) * sigy) * dsigy                          #(1)
    return f, dx, dy


def example():
    return 3.0, -4.0
