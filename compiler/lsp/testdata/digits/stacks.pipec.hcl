# The same pipeline on this machine and on a cluster: only the stack differs. The variables lead the second one to any
# cluster: --var NAME=VALUE, PIPEC_VAR_NAME, or a file k8s.auto.vars beside this one.

pipec {
  project = "digits"
}

stack "local" {
  orchestrator "local" {}

  artifact_store "local" {
    path = ".pipec/store"
  }
}

stack "k8s" {
  orchestrator "kubernetes" {
    context            = var.context
    namespace          = var.namespace
    create_namespace   = true
    kubernetes_version = var.kubernetes_version
    synchronous        = true
  }

  artifact_store "s3" {
    path       = var.store
    endpoint   = var.s3_endpoint
    path_style = var.s3_endpoint != ""
    secret     = var.s3_secret
  }

  container_registry "generic" {
    uri = var.registry
  }
}

variable "context" {
  type        = string
  default     = "digits-eks"
  description = "A context of the kubeconfig."
}

variable "namespace" {
  type    = string
  default = "digits"
}

variable "kubernetes_version" {
  type        = string
  default     = "1.36"
  description = "What `pipec emit` writes for; the other commands ask the cluster."
}

variable "store" {
  type        = string
  default     = "s3://digits-artifacts/digits"
  description = "Where artifacts and records are kept."
}

variable "s3_endpoint" {
  type        = string
  default     = ""
  description = "The address of an S3 server that is not AWS."
}

variable "s3_secret" {
  type        = string
  default     = ""
  description = "The Secret with the store's credentials, where pods have no role of their own."
}

variable "registry" {
  type        = string
  default     = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
  description = "Where images are kept."
}
