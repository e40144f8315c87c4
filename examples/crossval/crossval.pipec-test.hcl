# Each fold is a run of another pipeline, whose steps are mocked by their addresses.

test "the worst fold is an output" {
  pipeline = "crossval"
  mock "split" { outputs = { folds = [for i in range(input.folds) : [i]] } }
  mock "fold.score" { outputs = { score = 0.9 - input.held_out[0] / 100 } }
  mock "report" { outputs = { mean = 0.88, spread = 0.02 } }

  assert { condition = length(step.fold) == 5 && output.worst == 0.9 - 4 / 100 && output.mean == 0.88 }
}

test "a fold that fails fails the run" {
  pipeline = "crossval"
  params   = { folds = 2 }
  mock "split" { outputs = { folds = [[1], [2]] } }
  mock "fold[1].train" { exit_code = 1 }

  assert { condition = step.fold[0].status == "succeeded" && step.fold[1].step.train.status == "failed" }
  assert { condition = step.report.status == "skipped" && run.status == "failed" }
}
