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

code "src" {
  dir = "./src"
}

# pipec:ignore no-resources the defaults of the namespace are enough for a few rows
pipeline "train" {
  image   = image.python
  code    = code.src
  timeout = "30m"

  param "customers" {
    type    = number
    default = 100
  }

  step "extract" {
    python = "churn:extract"
    input "customers" {
      value = param.customers
    }
    output "table" {
      type = text
    }
  }

  step "check" {
    pipeline = library.shared.check
    input "table" {
      value = step.extract.table
    }
  }

  step "fit" {
    python = "churn:train"
    input "table" {
      value = step.extract.table
    }
    input "rows" {
      value = step.check.rows
    }
    output "rate" {
      type = number
    }
  }

  output "rate" {
    value = step.fit.rate
  }
}
