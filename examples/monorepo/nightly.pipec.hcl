# Runs each team's pipeline every night, from the team's own directory. Only this directory declares stacks.

library "churn" {
  source = "./teams/churn"
}

library "pricing" {
  source = "./teams/pricing"
  vars = {
    currency = "EUR"
  }
}

pipeline "nightly" {
  description = "Trains what both teams have."
  timeout     = "1h"
  outputs     = { rate = step.churn.rate, price = step.pricing.price }

  schedule {
    cron     = "0 3 * * *"
    timezone = "Europe/Berlin"
  }

  step "churn" {
    pipeline = library.churn.train
    inputs   = { customers = 200 }
  }

  step "pricing" {
    pipeline = library.pricing.price
  }

  # pipec:ignore no-resources the defaults of the namespace are enough for an echo
  finally "report" {
    image   = "busybox:1.37"
    command = ["echo", "churn ${step.churn.status}, pricing ${step.pricing.status}"]
  }
}
