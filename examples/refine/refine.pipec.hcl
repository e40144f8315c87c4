# Rounds: a model is refined until its loss is small enough. Each round continues with the model of the previous one.

image "numpy" {
  base         = "python:3.11-slim"
  requirements = ["numpy"]
}

code "steps" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for four weights
pipeline "refine" {
  description = "Refines a model in rounds."
  image       = image.numpy
  code        = code.steps
  timeout     = "1h"
  outputs     = { loss = step.round.loss, done = step.round.done, weights = step.round.weights }

  param "target" { default = 0.01 }

  step "start" {
    python  = "steps:start"
    outputs = { weights = ndarray }
  }

  step "round" {
    python  = "steps:refine"
    inputs  = { weights = step.start.weights, target = param.target }
    outputs = { weights = ndarray, loss = number, done = bool }
    repeat {
      max   = 20
      until = output.done
      carry = { weights = output.weights }
    }
  }
}
