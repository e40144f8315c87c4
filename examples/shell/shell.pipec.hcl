# Orders of two regions are joined, counted and reported, by shell scripts alone: any program that reads and writes files
# can be a step. The scripts in src/ know nothing of pipec but the paths that they are given.

variable "audit_from" {
  type        = number
  default     = 10
  description = "How many orders make a day worth a closer look."
}

image "tools" {
  base = var.debian
}

code "scripts" { dir = "./src" }

# pipec:ignore no-resources scripts this small take what their node has left
pipeline "orders" {
  description = "Joins the orders of two regions and reports on them."
  image       = image.tools
  code        = code.scripts
  timeout     = "10m"
  outputs = {
    count   = step.join.count
    summary = step.summary.summary
    finding = coalesce(step.audit.finding, "none")
  }

  param "audit_from" {
    type    = number
    default = var.audit_from
  }

  param "greeting" { default = "Good morning" }

  step "europe" {
    command = ["sh", "orders.sh", "4", output.orders.path]
    env     = { REGION = "europe" }
    outputs = { orders = text }
  }

  # It fails the first time, as a service sometimes does, and is tried again.
  step "asia" {
    command = ["sh", "flaky.sh", "3", output.orders.path]
    env     = { REGION = "asia" }
    outputs = { orders = text }
    retry {
      attempts = 2
      delay    = "200ms"
    }
  }

  # Fan in: it starts when both regions are there.
  step "join" {
    command = ["sh", "join.sh"]
    inputs  = { europe = step.europe.orders, asia = step.asia.orders }
    outputs = { orders = text, count = number }
  }

  # Asked when join has ended, because it needs a value of it.
  step "audit" {
    when    = step.join.count >= param.audit_from
    command = ["sh", "audit.sh", input.orders.path, output.finding.path]
    inputs  = { orders = step.join.orders }
    outputs = { finding = string }
  }

  # Audit may have been skipped: its input then has the default.
  step "summary" {
    command = ["sh", "summary.sh"]
    env = {
      GREETING = jsonencode(upper(param.greeting))
      FINDING  = jsonencode(input.finding)
    }
    inputs  = { count = step.join.count }
    outputs = { summary = object({ count = number, finding = string, greeting = string }) }
    input "finding" {
      value   = step.audit.finding
      default = "no audit was needed"
    }
  }

  # Runs whatever became of the rest.
  finally "report" {
    command = ["sh", "report.sh"]
    env = {
      RUN_STATUS   = run.status
      AUDIT_STATUS = step.audit.status
    }
  }
}
