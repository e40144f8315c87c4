# Training on spot nodes with a GPU: it may be preempted, which costs none of its attempts, and gets more memory after it ran
# out. On a laptop the same step runs as a process; what is about pods has no effect there.

image "torch" {
  base         = "python:3.11-slim"
  requirements = ["numpy"]
}

code "steps" { dir = "./src" }

pipeline "gpu_training" {
  description = "Trains on spot nodes that have a GPU."
  image       = image.torch
  code        = code.steps
  timeout     = "12h"
  outputs     = { loss = step.train.loss, weights = step.train.weights }

  param "epochs" { default = 30 }

  step "train" {
    python  = "steps:train"
    timeout = "6h"
    inputs  = { epochs = param.epochs }
    outputs = { weights = ndarray, loss = number }

    resources {
      cpu    = "4"
      memory = "16Gi"
      gpu    = 1
    }
    retry {
      attempts          = 3
      infrastructure    = 10 # spot nodes go away
      oom_memory_factor = 1.5
    }
    toleration {
      key      = "spot"
      operator = "Exists"
    }
    node_selector = {
      "node.kubernetes.io/lifecycle" = "spot"
    }
    volume "shm" {
      memory = "2Gi"
      path   = "/dev/shm"
    }
  }

  step "check" {
    command = ["sh", "-c", "echo loss ${step.train.loss}"]
    when    = step.train.loss < 1
    resources {
      cpu    = "100m"
      memory = "128Mi"
    }
  }
}
