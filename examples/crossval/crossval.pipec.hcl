# Cross-validation: the folds are made by a step, each is a call of a pipeline of its own, and their scores are collected.

image "sklearn" {
  base         = "python:3.11-slim"
  requirements = ["scikit-learn==1.5.2", "numpy", "pandas"]
}

code "steps" {
  dir = "./src"
}

# pipec:ignore no-resources the defaults of the namespace are enough for digits
pipeline "crossval" {
  description = "Five folds of the digits, and the mean of their scores."
  image       = image.sklearn
  code        = code.steps
  timeout     = "30m"

  param "folds" {
    type    = number
    default = 5
  }

  step "split" {
    python = "steps:split"
    input "folds" {
      value = param.folds
    }
    output "folds" {
      type = list(list(number))
    }
  }

  step "fold" {
    for_each     = step.split.folds
    max_parallel = 2
    pipeline     = pipeline.fold
    input "held_out" {
      value = each.value
    }
  }

  step "report" {
    python = "steps:report"
    input "scores" {
      value = step.fold[*].score
    }
    output "mean" {
      type = number
    }
    output "spread" {
      type = number
    }
  }

  output "mean" {
    value = step.report.mean
  }
  output "spread" {
    value = step.report.spread
  }
  output "worst" {
    value = min(step.fold[*].score...)
  }
}

# One fold; by itself it is neither applied nor run.
# pipec:ignore no-resources as its caller
pipeline "fold" {
  timeout = "10m"

  param "held_out" {
    type        = list(number)
    description = "The rows that are kept from the training."
  }

  step "train" {
    python = "steps:train"
    input "held_out" {
      value = param.held_out
    }
    output "model" {
      type = model
    }
  }

  step "score" {
    python = "steps:score"
    input "model" {
      value = step.train.model
    }
    input "held_out" {
      value = param.held_out
    }
    output "score" {
      type = number
    }
  }

  output "score" {
    value = step.score.score
  }
}
