# Trains a model every night. If it is better than a threshold, a person decides where it goes. Otherwise it is not promoted, and
# the report shows this.

image "python" {
  base = "python:3.11-slim"
}

code "steps" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for a few rows
pipeline "nightly_retraining" {
  description = "Trains on the last day's deliveries, and promotes what is good enough and approved."
  image       = image.python
  code        = code.steps
  timeout     = "14h"
  outputs     = { accuracy = step.evaluate.accuracy, published = step.publish.version }

  schedule {
    cron     = "0 3 * * *"
    timezone = "Europe/Berlin"
    overlap  = "forbid"
  }

  param "rows" { default = 600 }
  param "threshold" {
    type        = number
    default     = 0.85
    description = "The accuracy from which on a model is worth anybody's time."
  }

  step "fetch" {
    python = "steps:fetch"
    inputs = { rows = param.rows }
    outputs = {
      train = list(object({ distance = number, late = bool }))
      test  = list(object({ distance = number, late = bool }))
    }
  }

  step "train" {
    python  = "steps:train"
    inputs  = { deliveries = step.fetch.train }
    outputs = { model = model }
  }

  step "evaluate" {
    python  = "steps:evaluate"
    inputs  = { model = step.train.model, deliveries = step.fetch.test }
    outputs = { accuracy = number }
  }

  # No process and no pod waits here. The approver has until the afternoon; then the model is not promoted.
  step "promote" {
    when = step.evaluate.accuracy >= param.threshold
    approval {
      message = "Promote the model with an accuracy of ${step.evaluate.accuracy} (wanted: ${param.threshold})?"
      type    = object({ stage = string, note = optional(string) })
      timeout = "12h"
    }
  }

  step "publish" {
    python  = "steps:publish"
    inputs  = { model = step.train.model, stage = step.promote.value.stage }
    outputs = { version = string }
  }

  finally "report" {
    command = [
      "echo",
      "accuracy ${coalesce(step.evaluate.accuracy, 0)}; promotion ${step.promote.status}: ${step.promote.message}",
    ]
  }
}
