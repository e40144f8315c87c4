test "a spot node that goes away is no failure of the step" {
  mock "train" {
    attempt {
      status         = "failed"
      infrastructure = true
      reason         = "NodeLost"
    }
    attempt {
      status = "failed"
      reason = "OOMKilled"
    }
    duration = "5h"
    outputs  = { loss = input.epochs / 100 }
  }

  assert { condition = step.train.attempts == 3 && output.loss == 0.3 && param.epochs == 30 }
  assert { condition = step.check.status == "succeeded" }
}

test "a loss that is too high is not checked" {
  mock "train" { outputs = { loss = 1 } }

  assert { condition = step.check.status == "skipped" && run.status == "succeeded" }
}
