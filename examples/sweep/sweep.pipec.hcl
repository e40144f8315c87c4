# A sweep: one training for each point of a grid, the best of them chosen, and promoted where it is good enough.

locals {
  grid = [for pair in setproduct([0.0005, 0.001, 0.01], [1, 10]) : { gamma = pair[0], c = pair[1] }]
}

image "sklearn" {
  base         = "python:3.11-slim"
  requirements = ["scikit-learn==1.5.2", "numpy"]
}

code "steps" {
  dir = "./src"
}

# pipec:ignore no-resources the defaults of the namespace are enough for digits
pipeline "sweep" {
  description = "Trains an SVC for each point of a grid and promotes the best."
  image       = image.sklearn
  code        = code.steps
  timeout     = "30m"

  param "good_enough" {
    type    = number
    default = 0.95
  }

  step "data" {
    python = "steps:data"
    output "train" {
      type = file
    }
    output "test" {
      type = file
    }
  }

  step "fit" {
    for_each     = local.grid
    max_parallel = 2
    python       = "steps:fit"
    input "train" {
      value = step.data.train
    }
    input "test" {
      value = step.data.test
    }
    input "gamma" {
      value = each.value.gamma
    }
    input "c" {
      value = each.value.c
    }
    output "model" {
      type = model
    }
    output "score" {
      type = number
    }
  }

  step "best" {
    python = "steps:best"
    input "scores" {
      value = step.fit[*].score
    }
    input "models" {
      value = step.fit[*].model
    }
    output "model" {
      type = model
    }
    output "number" {
      type = number
    }
    output "score" {
      type = number
    }
  }

  step "promote" {
    when    = step.best.score >= param.good_enough
    command = ["sh", "-c", "echo \"promoting point $NUMBER\" && cp \"$PIPEC_INPUT_model\" \"$PIPEC_OUTPUT_promoted\""]
    env = {
      NUMBER = tostring(step.best.number)
    }
    input "model" {
      value = step.best.model
    }
    output "promoted" {
      type = model
    }
  }

  output "score" {
    value = step.best.score
  }
  output "promoted" {
    value = step.promote.promoted
  }
}
