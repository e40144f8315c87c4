# The results of the steps are declared here: pipec test runs none of them.

test "a shard that fails is left out" {
  mock "shards" {
    outputs = { shards = [
      { name = "a", first = 1, last = 50 },
      { name = "b", first = 51, last = param.rows },
    ] }
  }
  mock "score[1]" { exit_code = 3 }
  mock "merge" { outputs = { rows = 50 } }

  assert { condition = step.score[0].status == "succeeded" && step.score[0].attempts == 1 }
  assert { condition = step.score[1].status == "failed" && step.score[1].attempts == 2 }
  assert { condition = step.merge.status == "succeeded" && output.rows == 50 }
  assert { condition = param.rows == 100 }
}

test "the last step runs without shards too" {
  mock "shards" { exit_code = 1 }

  assert { condition = step.merge.status == "skipped" && run.status == "failed" }
  assert { condition = step.missing.status == "succeeded" }
}
