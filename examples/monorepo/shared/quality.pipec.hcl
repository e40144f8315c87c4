# Checks that every team uses: is this table good enough to continue?

variable "most_missing" {
  type        = number
  default     = 0.1
  description = "The share of cells that may be empty."

  validation {
    condition     = var.most_missing >= 0 && var.most_missing <= 1
    error_message = "most_missing is a share, from 0 to 1."
  }
}

image "python" {
  base = "python:3.11-slim"
}

code "src" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for a few rows
pipeline "check" {
  description = "Counts what is missing in a table, and fails where that is too much."
  image       = image.python
  code        = code.src
  timeout     = "10m"

  param "table" {
    type = text
  }

  step "count" {
    python = "quality:count"
    input "table" {
      value = param.table
    }
    input "most_missing" {
      value = var.most_missing
    }
    output "rows" {
      type = number
    }
  }

  output "rows" {
    value = step.count.rows
  }
}
