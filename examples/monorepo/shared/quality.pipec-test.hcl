test "a tenth may be missing" {
  pipeline = "check"
  mock "count" { outputs = { rows = input.most_missing == 0.1 ? 10 : 0 } }

  assert { condition = output.rows == 10 }
}
