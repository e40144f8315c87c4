test "a large day is audited" {
  pipeline = "orders"
  mock "join" { outputs = { count = 10 } }
  mock "audit" { outputs = { finding = "two double orders" } }

  assert { condition = step.audit.status == "succeeded" && output.finding == "two double orders" }
}

test "a small day is not" {
  pipeline = "orders"
  mock "join" { outputs = { count = 9 } }
  mock "summary" { outputs = { summary = { count = input.count, finding = input.finding, greeting = param.greeting } } }

  assert { condition = step.audit.status == "skipped" && output.finding == "none" }
  assert { condition = output.summary.finding == "no audit was needed" && output.summary.greeting == "Good morning" }
  assert { condition = param.audit_from == 10 && var.audit_from == 10 }
}

test "asia is tried twice" {
  pipeline = "orders"
  mock "asia" { exit_code = 1 }

  assert { condition = step.asia.attempts == 2 && step.join.status == "skipped" }
  assert { condition = step.report.status == "succeeded" && run.status == "failed" }
}
