test "good data is trained on" {
  mock "check" { outputs = { passed = input.most_missing == 0.05 } }
  mock "train" { outputs = { slope = 2 } }

  assert { condition = output.slope == 2 && step.quarantine.status == "skipped" }
  assert { condition = param.rows == 200 }
}

test "bad data is kept from training" {
  mock "check" { outputs = { passed = false, findings = ["12% are missing"] } }

  assert { condition = step.train.status == "skipped" && step.quarantine.status == "succeeded" }
  assert { condition = run.status == "succeeded" && step.report.status == "succeeded" }
}

test "there is no report without findings" {
  mock "check" { exit_code = 1 }

  assert { condition = step.report.status == "skipped" && run.status == "failed" }
}
