"""A training that would use a GPU: here, least squares by gradient descent."""

import numpy as np


def train(epochs):
    """Weights and loss after so many epochs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(256, 4))
    truth = np.array([1.0, -2.0, 0.5, 3.0])
    y = X @ truth
    w = np.zeros(4)
    for epoch in range(int(epochs)):
        error = X @ w - y
        w -= 0.1 * (2 / len(X)) * (X.T @ error)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: loss {np.mean(error**2):.4f}")
    return w, float(np.mean((X @ w - y) ** 2))
