test "both teams' results are outputs" {
  assert { condition = step.churn.status == "succeeded" && step.pricing.status == "succeeded" }
  assert { condition = output.rate != null && output.price != null }
}

test "the report comes whatever happens" {
  cancel_after = "1s"

  assert { condition = run.status == "cancelled" && step.report.status == "succeeded" }
}
