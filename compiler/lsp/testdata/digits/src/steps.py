"""The steps of the digits pipeline: ordinary functions on numpy arrays and pandas frames."""

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.svm import SVC


def importer():
    """Splits the digits in two halves, in order: the first to train, the second to test."""
    digits = load_digits()
    X = digits.images.reshape(len(digits.images), -1)
    half = len(X) // 2
    return X[:half], X[half:], digits.target[:half], digits.target[half:]


def svc_trainer(X_train, y_train, gamma):
    """Trains a support vector classifier."""
    model = SVC(gamma=gamma)
    model.fit(X_train, y_train)
    return model


def evaluator(X_test, y_test, model):
    """The share of test images that the model recognises."""
    accuracy = model.score(X_test, y_test)
    print(f"Test accuracy: {accuracy}")
    return accuracy


def skew_comparison(reference_input, comparison_input):
    """Both data sets as frames with named columns, to be compared."""
    columns = [f"pixel_{i}" for i in range(np.shape(reference_input)[1])]
    return (
        pd.DataFrame(reference_input, columns=columns),
        pd.DataFrame(comparison_input, columns=columns),
    )
