# A gate: bad data stops the run before training, with a reason. The run fails only if you choose so.

image "pandas" {
  base         = "python:3.11-slim"
  requirements = ["pandas"]
}

code "steps" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for a few rows
pipeline "quality_gate" {
  description = "Checks the day's data before anything is trained on it."
  image       = image.pandas
  code        = code.steps
  timeout     = "30m"
  outputs     = { slope = step.train.slope }

  param "rows" { default = 200 }
  param "most_missing" {
    type        = number
    default     = 0.05
    description = "The share of values that may be missing."
  }

  step "extract" {
    python  = "steps:extract"
    inputs  = { rows = param.rows }
    outputs = { frame = dataframe }
  }

  step "check" {
    python  = "steps:check"
    inputs  = { frame = step.extract.frame, most_missing = param.most_missing }
    outputs = { passed = bool, findings = list(string) }
  }

  step "train" {
    when    = step.check.passed
    python  = "steps:train"
    inputs  = { frame = step.extract.frame }
    outputs = { slope = number }
  }

  step "quarantine" {
    when    = !step.check.passed
    command = ["echo", "kept from training: ${join("; ", step.check.findings)}"]
  }

  finally "report" {
    command = ["echo", "training ${step.train.status}, ${length(coalesce(step.check.findings, []))} findings"]
  }
}
