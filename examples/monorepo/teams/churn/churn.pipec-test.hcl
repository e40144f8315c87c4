# A library is a project of its own, with its own tests: pipec test teams/churn.

test "every customer is checked" {
  mock "check.count" { outputs = { rows = 7 } }
  mock "fit" { outputs = { rate = input.rows / 100 } }

  assert { condition = param.customers == 100 && output.rate == 7 / 100 }
}
