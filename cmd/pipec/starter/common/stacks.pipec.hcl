# Where pipelines run. Another stack, another place: the pipelines stay as they are. `pipec stack use NAME` chooses one.
stack "local" {
  orchestrator "local" {}

  artifact_store "local" {
    path = ".pipec/store"
  }
}

# Change bucket, namespace and registry to yours, and then: pipec stack check --stack cluster
stack "cluster" {
  orchestrator "kubernetes" {
    # Without `context`, the current context of your kubeconfig is used.
    namespace = "default"
  }

  artifact_store "s3" {
    path = "s3://my-bucket/PROJECT"
  }

  container_registry "generic" {
    uri = "registry.example.com/PROJECT"
  }
}
