"""A model that is refined in rounds."""

import numpy as np


def start():
    """Weights that know nothing."""
    return np.zeros(4)


def refine(weights, target):
    """Ten steps of gradient descent from where the last round ended."""
    X = np.random.default_rng(0).normal(size=(256, 4))
    y = X @ np.array([1.0, -2.0, 0.5, 3.0])
    for _ in range(10):
        weights = weights - 0.1 * (2 / len(X)) * (X.T @ (X @ weights - y))
    loss = float(np.mean((X @ weights - y) ** 2))
    print(f"loss {loss:.5f}")
    return weights, loss, loss < target
