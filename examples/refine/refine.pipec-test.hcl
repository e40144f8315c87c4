test "it ends when the target is reached" {
  mock "round" { outputs = { loss = 1 / pow(10, round), done = 1 / pow(10, round) <= input.target } }

  assert { condition = length(step.round.rounds) == 2 && output.loss == 0.01 && output.done }
  assert { condition = step.round.rounds[0].done == false }
}

test "it ends after 20 rounds" {
  params = { target = 0 }

  assert { condition = length(step.round.rounds) == 20 && !output.done && run.status == "succeeded" }
}
