"""The steps of a nightly retraining, in plain Python: ordinary functions, which import nothing of pipec."""

import random


def fetch(rows):
    """The last day's deliveries; here made up, the same each time. Far ones are late, mostly."""
    rng = random.Random(20)
    deliveries = []
    for _ in range(int(rows)):
        distance = rng.randrange(1, 100)
        deliveries.append({"distance": distance, "late": distance + rng.randrange(-20, 21) > 60})
    half = len(deliveries) // 2
    return deliveries[:half], deliveries[half:]


def train(deliveries):
    """The distance from which on a delivery counts as late, so that the fewest are wrong."""
    return {"cut": min(range(100), key=lambda cut: (wrong(cut, deliveries), cut))}


def evaluate(model, deliveries):
    accuracy = round(1 - wrong(model["cut"], deliveries) / max(len(deliveries), 1), 4)
    print(f"late from {model['cut']} km on: accuracy {accuracy}")
    return accuracy


def publish(model, stage):
    print(f"published to {stage}")
    return f"{stage}-{model['cut']}"


def wrong(cut, deliveries):
    return sum((d["distance"] >= cut) != d["late"] for d in deliveries)
