# The churn team's directory: a project of its own, and a library for the project that runs it every night.

library "shared" {
  source = "../../shared"
  vars = {
    most_missing = 0.2
  }
}

image "python" {
  base = "python:3.11-slim"
}

code "src" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for a few rows
pipeline "train" {
  image   = image.python
  code    = code.src
  timeout = "30m"
  outputs = { rate = step.fit.rate }

  param "customers" { default = 100 }

  step "extract" {
    python  = "churn:extract"
    inputs  = { customers = param.customers }
    outputs = { table = text }
  }

  step "check" {
    pipeline = library.shared.check
    inputs   = { table = step.extract.table }
  }

  step "fit" {
    python  = "churn:train"
    inputs  = { table = step.extract.table, rows = step.check.rows }
    outputs = { rate = number }
  }
}
