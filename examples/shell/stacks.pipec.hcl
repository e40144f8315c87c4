# The same pipeline on this machine and on a cluster: only the stack differs.

pipec {
  project = "shell"
}

stack "local" {
  orchestrator "local" {}

  artifact_store "local" {
    path = ".pipec/store"
  }
}

stack "k8s" {
  orchestrator "kubernetes" {
    context     = "shell-eks"
    namespace   = "shell"
    synchronous = true
  }

  artifact_store "s3" {
    path = "s3://shell-artifacts/shell"
  }

  container_registry "ecr" {
    uri = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
  }
}
