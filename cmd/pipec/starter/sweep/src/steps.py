"""The steps: ordinary functions, which know nothing of pipec."""


def train(rate):
    """Minimises (x - 3)² and returns how far from the minimum it ends."""
    x = 0.0
    for _ in range(20):
        x -= rate * 2 * (x - 3)
    print(f"rate {rate}: x = {x:.4f}")
    return (x - 3) ** 2


def best(rates, losses):
    return rates[losses.index(min(losses))]
