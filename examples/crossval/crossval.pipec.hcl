# Cross-validation: the folds are made by a step, each is a call of a pipeline of its own, and their scores are collected.

image "sklearn" {
  base         = "python:3.11-slim"
  requirements = ["scikit-learn==1.5.2", "numpy", "pandas"]
}

code "steps" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for digits
pipeline "crossval" {
  description = "Five folds of the digits, and the mean of their scores."
  image       = image.sklearn
  code        = code.steps
  timeout     = "30m"
  outputs     = { mean = step.report.mean, spread = step.report.spread, worst = min(step.fold[*].score...) }

  param "folds" { default = 5 }

  step "split" {
    python  = "steps:split"
    inputs  = { folds = param.folds }
    outputs = { folds = list(list(number)) }
  }

  step "fold" {
    for_each     = step.split.folds
    max_parallel = 2
    pipeline     = pipeline.fold
    inputs       = { held_out = each.value }
  }

  step "report" {
    python  = "steps:report"
    inputs  = { scores = step.fold[*].score }
    outputs = { mean = number, spread = number }
  }
}

# One fold; by itself it is neither applied nor run.
# pipec:ignore no-resources as its caller
pipeline "fold" {
  timeout = "10m"
  outputs = { score = step.score.score }

  param "held_out" {
    type        = list(number)
    description = "The rows that are kept from the training."
  }

  step "train" {
    python  = "steps:train"
    inputs  = { held_out = param.held_out }
    outputs = { model = model }
  }

  step "score" {
    python  = "steps:score"
    inputs  = { model = step.train.model, held_out = param.held_out }
    outputs = { score = number }
  }
}
