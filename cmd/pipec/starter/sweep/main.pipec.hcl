# A directory that is shipped to the steps and is their working directory.
code "src" {
  dir = "./src"
}

pipeline "sweep" {
  code    = code.src
  image   = "python:3.13-slim" # for pods; on this machine, the project's .venv or python3
  timeout = "10m"

  defaults {
    resources {
      cpu    = "500m"
      memory = "256Mi"
    }
  }

  param "rates" {
    type    = list(number)
    default = [0.01, 0.1, 0.5]
  }

  # An instance for each rate, four of them at a time.
  step "train" {
    for_each     = param.rates
    max_parallel = 4
    python       = "steps:train"

    input "rate" {
      value = each.value
    }
    output "loss" {
      type = number
    }
  }

  # step.train[*].loss is the list of all results.
  step "best" {
    python = "steps:best"

    input "rates" {
      value = param.rates
    }
    input "losses" {
      value = step.train[*].loss
    }
    output "rate" {
      type = number
    }
  }

  output "rate" {
    value = step.best.rate
  }
}
