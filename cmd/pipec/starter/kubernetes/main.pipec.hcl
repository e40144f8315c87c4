# What a step sets for its pod is ignored on this machine.
pipeline "nightly" {
  image   = "busybox:1.37"
  timeout = "20h"

  schedule {
    cron     = "30 2 * * *"
    timezone = "UTC"
    overlap  = "forbid"
  }

  step "prepare" {
    command = ["sh", "-c", "seq 1 100 > ${output.numbers.path}"]

    resources {
      cpu    = "100m"
      memory = "64Mi"
    }
    output "numbers" {
      type = file
    }
  }

  step "train" {
    command = ["sh", "-c", "awk '{ sum += $1 } END { print sum }' ${input.numbers.path} > ${output.sum.path}"]

    resources {
      cpu    = "500m"
      memory = "256Mi"
    }
    retry {
      attempts = 3
      delay    = "30s"
    }
    input "numbers" {
      value = step.prepare.numbers
    }
    output "sum" {
      type = number
    }
  }

  # `pipec approve` answers.
  step "release" {
    approval {
      message = "Release a model with the sum ${step.train.sum}?"
      timeout = "12h"
    }
  }

  finally "report" {
    command = ["echo", "the run ${run.status}"]

    resources {
      cpu    = "100m"
      memory = "64Mi"
    }
  }

  output "sum" {
    value = step.train.sum
  }
}
