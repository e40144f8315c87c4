"""The steps of a cross-validation."""

import statistics

import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC


def split(folds):
    """The rows of each fold: every n-th one."""
    rows = len(load_digits().data)
    return [list(range(i, rows, folds)) for i in range(folds)]


def train(held_out):
    """A model of all rows that are not held out."""
    digits = load_digits()
    rest = np.setdiff1d(np.arange(len(digits.data)), held_out)
    return SVC(gamma=0.001).fit(digits.data[rest], digits.target[rest])


def score(model, held_out):
    """The share of the rows held out that the model knows."""
    digits = load_digits()
    return float(model.score(digits.data[held_out], digits.target[held_out]))


def report(scores):
    """Mean and spread of the folds' scores."""
    print(" ".join(f"{s:.4f}" for s in scores))
    return statistics.mean(scores), statistics.pstdev(scores)
