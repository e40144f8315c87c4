# The digits pipeline: importer → trainer → evaluator, and importer → skew comparison. Where it runs is the stack's
# business (stacks.pipec.hcl); the functions in src/steps.py know nothing of pipec.

variable "gamma" {
  type        = number
  default     = 0.001
  description = "Kernel coefficient of the SVC."

  validation {
    condition     = var.gamma > 0
    error_message = "gamma must be positive."
  }
}

image "digits" {
  base         = "python:3.11-slim"
  requirements = ["scikit-learn==1.5.2", "numpy", "pandas"]
}

code "steps" {
  dir = "./src"
}

# pipec:ignore no-resources the other steps need little, and take what their node has left
pipeline "kubernetes_example_pipeline" {
  description = "Trains an SVC on scikit-learn's digits and evaluates it."
  image       = image.digits
  code        = code.steps
  timeout     = "1h"

  schedule {
    cron     = "0 3 * * *"
    timezone = "Europe/Berlin"
    overlap  = "forbid"
  }

  param "gamma" {
    type    = number
    default = var.gamma
  }

  step "importer" {
    python = "steps:importer"

    output "X_train" {
      type = ndarray
    }
    output "X_test" {
      type = ndarray
    }
    output "y_train" {
      type = ndarray
    }
    output "y_test" {
      type = ndarray
    }
  }

  step "trainer" {
    python = "steps:svc_trainer"

    input "X_train" {
      value = step.importer.X_train
    }
    input "y_train" {
      value = step.importer.y_train
    }
    input "gamma" {
      value = param.gamma
    }
    output "model" {
      type = model
    }

    resources {
      cpu    = "1"
      memory = "1Gi"
    }
    retry {
      attempts = 3
    }
  }

  step "evaluator" {
    python = "steps:evaluator"

    input "X_test" {
      value = step.importer.X_test
    }
    input "y_test" {
      value = step.importer.y_test
    }
    input "model" {
      value = step.trainer.model
    }
    output "accuracy" {
      type = number
    }
  }

  step "skew_comparison" {
    python = "steps:skew_comparison"

    input "reference_input" {
      value = step.importer.X_train
    }
    input "comparison_input" {
      value = step.importer.X_test
    }
    output "reference" {
      type = dataframe
    }
    output "comparison" {
      type = dataframe
    }
  }

  output "accuracy" {
    value = step.evaluator.accuracy
  }
}
