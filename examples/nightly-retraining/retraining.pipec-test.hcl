test "a good model is published when it is approved" {
  mock "evaluate" { outputs = { accuracy = 0.85 } }
  answer "promote" {
    value = { stage = "production" }
    after = "11h"
  }
  mock "publish" { outputs = { version = "v1-${input.stage}" } }

  assert { condition = output.published == "v1-production" && step.publish.start > 11 * 3600 }
  assert { condition = param.threshold == 0.85 && param.rows == 600 }
}

test "a bad model asks for no approval" {
  mock "evaluate" { outputs = { accuracy = 0.849 } }

  assert { condition = step.promote.status == "skipped" && step.publish.status == "skipped" }
  assert { condition = run.status == "succeeded" && output.accuracy == 0.849 }
}

test "no answer in time" {
  mock "evaluate" { outputs = { accuracy = 0.9 } }

  assert { condition = step.promote.status == "timed_out" && step.publish.status == "skipped" }
  assert { condition = step.report.status == "succeeded" && run.status == "failed" }
}
