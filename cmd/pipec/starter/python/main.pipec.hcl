# A directory that is shipped to the steps and is their working directory.
code "src" {
  dir = "./src"
}

pipeline "hello" {
  code    = code.src
  image   = "python:3.13-slim" # for pods; on this machine, the project's .venv or python3
  timeout = "10m"

  defaults {
    resources {
      cpu    = "500m"
      memory = "256Mi"
    }
  }

  param "size" {
    type        = number
    default     = 1000
    description = "How many samples are drawn."
  }

  # The function sample of src/steps.py: its parameters are the inputs, its result is the output.
  step "sample" {
    python = "steps:sample"

    input "size" {
      value = param.size
    }
    output "values" {
      type = list(number)
    }
  }

  # The reference to step.sample.values is the edge between the two.
  step "summarise" {
    python = "steps:summarise"

    input "values" {
      value = step.sample.values
    }
    output "mean" {
      type = number
    }
    output "report" {
      type = text
    }
  }

  output "mean" {
    value = step.summarise.mean
  }
}
