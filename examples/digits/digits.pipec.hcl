# The functions in src/steps.py know nothing of pipec. Their annotations declare the outputs. stacks.pipec.hcl declares where it runs.
image "digits" {
  base         = "python:3.11-slim"
  requirements = ["scikit-learn==1.5.2", "numpy", "pandas"]
}

code "steps" { dir = "./src" }

# pipec:ignore no-resources the other steps need little, and take what their node has left
pipeline "kubernetes_example_pipeline" {
  description = "Trains an SVC on scikit-learn's digits and evaluates it."
  image       = image.digits
  code        = code.steps
  timeout     = "1h"
  outputs     = { accuracy = step.evaluator.accuracy }

  param "gamma" { default = 0.001 }

  schedule {
    cron     = "0 3 * * *"
    timezone = "Europe/Berlin"
  }

  step "importer" { python = "steps:importer" }

  step "trainer" {
    python = "steps:svc_trainer"
    inputs = { X_train = step.importer.X_train, y_train = step.importer.y_train, gamma = param.gamma }
    retry { attempts = 3 }
    resources {
      cpu    = "1"
      memory = "1Gi"
    }
  }

  step "evaluator" {
    python = "steps:evaluator"
    inputs = { X_test = step.importer.X_test, y_test = step.importer.y_test, model = step.trainer.model }
  }

  step "skew_comparison" {
    python = "steps:skew_comparison"
    inputs = { reference_input = step.importer.X_train, comparison_input = step.importer.X_test }
  }
}
