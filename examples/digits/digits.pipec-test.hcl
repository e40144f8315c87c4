# pipec test runs no step: the mocks declare the results of the steps.

test "the accuracy is the output" {
  mock "evaluator" { outputs = { accuracy = 0.97 } }

  assert { condition = output.accuracy == 0.97 }
  assert { condition = param.gamma == 0.001 }
  assert { condition = step.skew_comparison.start == step.trainer.start }
}

test "training is tried three times" {
  mock "trainer" { exit_code = 1 }

  assert { condition = step.trainer.attempts == 3 && step.evaluator.status == "skipped" }
  assert { condition = step.skew_comparison.status == "succeeded" && run.status == "failed" }
}
