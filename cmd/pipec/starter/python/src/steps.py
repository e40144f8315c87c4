"""The steps: ordinary functions, which know nothing of pipec."""

import random
import statistics


def sample(size):
    """Draws numbers, the same ones each time."""
    rng = random.Random(0)
    return [rng.gauss(0, 1) for _ in range(int(size))]


def summarise(values):
    """Several outputs are returned by name, or as a tuple in their order."""
    mean = statistics.fmean(values)
    print(f"{len(values)} values, mean {mean:.4f}")
    report = f"count: {len(values)}\nmean: {mean}\nstdev: {statistics.pstdev(values)}\n"
    return {"mean": mean, "report": report}
