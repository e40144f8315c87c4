test "the best point is promoted" {
  mock "fit" { outputs = { score = input.gamma == 0.001 ? 0.99 : 0.9 } }
  mock "best" { outputs = { score = max(input.scores...), number = 2 } }

  assert { condition = length(step.fit) == 6 && output.score == 0.99 && output.promoted != null }
}

test "nothing is promoted that isn't good enough" {
  mock "best" { outputs = { score = 0.949 } }

  assert { condition = step.promote.status == "skipped" && output.promoted == null && run.status == "succeeded" }
  assert { condition = param.good_enough == 0.95 }
}
