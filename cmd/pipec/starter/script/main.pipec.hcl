# A directory that is shipped to the steps and is their working directory.
code "src" {
  dir = "./src"
}

pipeline "train" {
  code    = code.src
  image   = "python:3.13-slim" # for pods; on this machine, the project's .venv or python3
  timeout = "10m"

  defaults {
    resources {
      cpu    = "500m"
      memory = "256Mi"
    }
  }

  param "epochs" {
    type        = number
    default     = 5
    description = "How often the data is gone through."
  }

  # A script with argparse. It writes its model and its metrics to the paths that it is given.
  step "train" {
    script = "train.py"
    args = {
      epochs = param.epochs
      model  = output.model.path
      loss   = output.loss.path
    }

    output "model" {
      type = json
    }
    output "loss" {
      type = number
    }
  }

  output "loss" {
    value = step.train.loss
  }
}
