"""Entropy of the softmax over the logits of a router, in nats."""
import math


def entropy(z):
    most = max(z)
    weights = [math.exp(v - most) for v in z]
    total = sum(weights)
    return math.log(total) - sum(w * (v - most) for w, v in zip(weights, z)) / total
