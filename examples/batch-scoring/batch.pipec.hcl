# Batch scoring over shards, in shell: how many shards there are is known when the first step has ended. A shard that fails
# is tried again; one that stays bad is left out, and the run says so.

image "tools" {
  base = var.debian
}

code "scripts" { dir = "./src" }

# pipec:ignore no-resources scripts this small take what their node has left
pipeline "batch_scoring" {
  description  = "Scores all shards and joins what came of them."
  image        = image.tools
  code         = code.scripts
  timeout      = "1h"
  max_parallel = 50
  outputs      = { rows = step.merge.rows }

  param "rows" { default = 100 }

  step "shards" {
    command = ["sh", "shards.sh", "${param.rows}", output.shards.path]
    outputs = { shards = list(object({ name = string, first = number, last = number })) }
  }

  step "score" {
    for_each            = step.shards.shards
    max_parallel        = 4
    continue_on_failure = true
    command             = ["sh", "score.sh", "${each.value.first}", "${each.value.last}", output.scored.path]
    env                 = { SHARD = each.value.name }
    outputs             = { scored = text }
    retry {
      attempts = 2
      delay    = "100ms"
    }
  }

  step "merge" {
    command = ["sh", "-c", "find \"$PIPEC_INPUT_parts\" -type f | sort | xargs -r cat > \"$PIPEC_OUTPUT_all\" && wc -l < \"$PIPEC_OUTPUT_all\" | tr -d ' ' > \"$PIPEC_OUTPUT_rows\""]
    inputs  = { parts = step.score[*].scored }
    outputs = { all = text, rows = number }
  }

  finally "missing" {
    command = ["echo", "shards: ${step.score.status}; the run: ${run.status}"]
  }
}
