# The pricing team's: no Python but what the shared library brings along.

variable "currency" {
  type        = string
  description = "Of the prices in the report."
}

library "shared" {
  source = "../../shared"
}

image "tools" {
  base = "debian:13-slim"
}

code "src" { dir = "./src" }

locals {
  header = trimspace(file("header.csv"))
}

# pipec:ignore no-resources the defaults of the namespace are enough for a few rows
pipeline "price" {
  image   = image.tools
  code    = code.src
  timeout = "30m"
  outputs = { price = step.mean.price }

  step "quotes" {
    command = ["sh", "quotes.sh", local.header, var.currency, output.table.path]
    outputs = { table = text }
  }

  step "check" {
    pipeline = library.shared.check
    inputs   = { table = step.quotes.table }
  }

  step "mean" {
    command    = ["sh", "price.sh", input.table.path, output.price.path]
    depends_on = [step.check]
    inputs     = { table = step.quotes.table }
    outputs    = { price = number }
  }
}
