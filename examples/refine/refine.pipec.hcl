# Rounds: a model is refined until its loss is small enough. Each round continues with the model of the previous one.

image "numpy" {
  base         = "python:3.11-slim"
  requirements = ["numpy"]
}

code "steps" {
  dir = "./src"
}

# pipec:ignore no-resources the defaults of the namespace are enough for four weights
pipeline "refine" {
  description = "Refines a model in rounds."
  image       = image.numpy
  code        = code.steps
  timeout     = "1h"

  param "target" {
    type    = number
    default = 0.01
  }

  step "start" {
    python = "steps:start"
    output "weights" {
      type = ndarray
    }
  }

  step "round" {
    python = "steps:refine"
    input "weights" {
      value = step.start.weights
    }
    input "target" {
      value = param.target
    }
    output "weights" {
      type = ndarray
    }
    output "loss" {
      type = number
    }
    output "done" {
      type = bool
    }
    repeat {
      max   = 20
      until = output.done
      carry = { weights = output.weights }
    }
  }

  output "loss" {
    value = step.round.loss
  }
  output "done" {
    value = step.round.done
  }
  output "weights" {
    value = step.round.weights
  }
}
