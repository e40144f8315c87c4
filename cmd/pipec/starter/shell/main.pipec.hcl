pipeline "words" {
  image   = "busybox:1.37" # for pods
  timeout = "10m"

  defaults {
    resources {
      cpu    = "500m"
      memory = "256Mi"
    }
  }

  param "text" {
    type    = string
    default = "to be or not to be"
  }

  step "split" {
    command = ["sh", "-c", "echo \"$TEXT\" | tr ' ' '\\n' > ${output.words.path}"]
    env     = { TEXT = param.text }

    output "words" {
      type = file
    }
  }

  # The reference to step.split.words is the edge between the two.
  step "count" {
    command = ["sh", "-c", "sort ${input.words.path} | uniq | wc -l | tr -d ' ' > ${output.different.path}"]

    input "words" {
      value = step.split.words
    }
    output "different" {
      type = number
    }
  }

  output "different" {
    value = step.count.different
  }
}
