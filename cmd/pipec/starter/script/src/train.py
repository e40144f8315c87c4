"""A training script, which knows nothing of pipec."""

import argparse
import json
import random

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--model", required=True, help="where the model is written")
parser.add_argument("--loss", required=True, help="where the loss is written")
args = parser.parse_args()

rng = random.Random(0)
data = [(x, 3 * x + rng.gauss(0, 0.1)) for x in (rng.random() for _ in range(100))]
slope, loss = 0.0, 0.0
for epoch in range(args.epochs):
    for x, y in data:
        slope -= 0.1 * 2 * (slope * x - y) * x
    loss = sum((slope * x - y) ** 2 for x, y in data) / len(data)
    print(f"epoch {epoch + 1}: loss {loss:.5f}")

with open(args.model, "w") as f:
    json.dump({"slope": slope}, f)
with open(args.loss, "w") as f:
    json.dump(loss, f)
