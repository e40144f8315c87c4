# A sweep: one training for each point of a grid, the best of them chosen, and promoted where it is good enough.

locals {
  grid = [for pair in setproduct([0.0005, 0.001, 0.01], [1, 10]) : { gamma = pair[0], c = pair[1] }]
}

image "sklearn" {
  base         = "python:3.11-slim"
  requirements = ["scikit-learn==1.5.2", "numpy"]
}

code "steps" { dir = "./src" }

# pipec:ignore no-resources the defaults of the namespace are enough for digits
pipeline "sweep" {
  description = "Trains an SVC for each point of a grid and promotes the best."
  image       = image.sklearn
  code        = code.steps
  timeout     = "30m"
  outputs     = { score = step.best.score, promoted = step.promote.promoted }

  param "good_enough" { default = 0.95 }

  step "data" {
    python  = "steps:data"
    outputs = { train = file, test = file }
  }

  step "fit" {
    for_each     = local.grid
    max_parallel = 2
    python       = "steps:fit"
    inputs       = { train = step.data.train, test = step.data.test, gamma = each.value.gamma, c = each.value.c }
    outputs      = { model = model, score = number }
  }

  step "best" {
    python  = "steps:best"
    inputs  = { scores = step.fit[*].score, models = step.fit[*].model }
    outputs = { model = model, number = number, score = number }
  }

  step "promote" {
    when    = step.best.score >= param.good_enough
    command = ["sh", "-c", "echo \"promoting point $NUMBER\" && cp \"$PIPEC_INPUT_model\" \"$PIPEC_OUTPUT_promoted\""]
    env     = { NUMBER = tostring(step.best.number) }
    inputs  = { model = step.best.model }
    outputs = { promoted = model }
  }
}
