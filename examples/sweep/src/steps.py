"""The steps of the sweep."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC


def data():
    """Two halves of the digits, each as bytes of an .npz file."""
    import io

    digits = load_digits()
    half = len(digits.data) // 2
    out = []
    for part in (slice(None, half), slice(half, None)):
        buffer = io.BytesIO()
        np.savez(buffer, X=digits.data[part], y=digits.target[part])
        out.append(buffer.getvalue())
    return tuple(out)


def fit(train, test, gamma, c):
    """One point of the grid: its model, and the share of the test half that it knows."""
    train, test = np.load(train), np.load(test)
    model = SVC(gamma=gamma, C=c).fit(train["X"], train["y"])
    score = model.score(test["X"], test["y"])
    print(f"gamma={gamma} C={c}: {score:.4f}")
    return model, float(score)


def best(scores, models):
    """The best point; of equals, the first."""
    number = max(range(len(scores)), key=lambda i: scores[i])
    return models[number], number, scores[number]
