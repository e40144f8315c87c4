# What the stack prod of the pipec project digits runs on. Written by pipec stack recipe.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws   = { source = "hashicorp/aws" }
    awscc = { source = "hashicorp/awscc" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "awscc" {
  region = "eu-central-1"
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {}

resource "awscc_s3_bucket" "bucket" {
  bucket_encryption = {
    server_side_encryption_configuration = [
      {
        server_side_encryption_by_default = {
          sse_algorithm = "AES256"
        }
      },
    ]
  }
  bucket_name = "pipec-digits-prod-${data.aws_caller_identity.current.account_id}-eu-central-1"
  lifecycle_configuration = {
    rules = [
      {
        abort_incomplete_multipart_upload = {
          days_after_initiation = 7
        }
        id     = "abandoned-uploads"
        status = "Enabled"
      },
    ]
  }
  ownership_controls = {
    rules = [
      {
        object_ownership = "BucketOwnerEnforced"
      },
    ]
  }
  public_access_block_configuration = {
    block_public_acls       = true
    block_public_policy     = true
    ignore_public_acls      = true
    restrict_public_buckets = true
  }
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]

  lifecycle {
    prevent_destroy = true
  }
}

resource "awscc_s3_bucket_policy" "bucket_policy" {
  bucket = awscc_s3_bucket.bucket.id
  policy_document = jsonencode({
    Statement = [
      {
        Action = "s3:*"
        Condition = {
          Bool = {
            "aws:SecureTransport" = "false"
          }
        }
        Effect    = "Deny"
        Principal = "*"
        Resource = [
          "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}",
          "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/*",
        ]
        Sid = "RequireTLS"
      },
    ]
    Version = "2012-10-17"
  })

  lifecycle {
    prevent_destroy = true
  }
}

resource "awscc_iam_role" "coordinator_role_ml" {
  assume_role_policy_document = jsonencode({
    Statement = [
      {
        Action = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        Condition = {
          StringEquals = {
            "aws:RequestTag/kubernetes-namespace" = "ml"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "pods.eks.amazonaws.com"
        }
      },
    ]
    Version = "2012-10-17"
  })
  description = "Coordinators of pipec in the namespace ml."
  policies = [
    {
      policy_document = jsonencode({
        Statement = [
          {
            Action = [
              "s3:GetObject",
              "s3:PutObject",
              "s3:AbortMultipartUpload",
            ]
            Effect = "Allow"
            Resource = [
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/blobs/*",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/programs/*",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/attempts/ml/*",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/runs/ml/*",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/runs/.write-once",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/cache/ml/*",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/index/ml/*",
            ]
          },
          {
            Action   = "s3:ListBucket"
            Effect   = "Allow"
            Resource = "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}"
          },
        ]
        Version = "2012-10-17"
      })
      policy_name = "artifact-store"
    },
  ]
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
}

resource "awscc_eks_pod_identity_association" "identity_ml_train0_run_xf11bb8" {
  cluster_name    = "shared"
  namespace       = "ml"
  role_arn        = awscc_iam_role.coordinator_role_ml.arn
  service_account = "train-0-run"
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
}

resource "awscc_eks_pod_identity_association" "identity_ml_train1_run_xc18f65" {
  cluster_name    = "shared"
  namespace       = "ml"
  role_arn        = awscc_iam_role.coordinator_role_ml.arn
  service_account = "train-1-run"
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
}

resource "awscc_iam_role" "steps_role_ml" {
  assume_role_policy_document = jsonencode({
    Statement = [
      {
        Action = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        Condition = {
          StringEquals = {
            "aws:RequestTag/kubernetes-namespace" = "ml"
          }
        }
        Effect = "Allow"
        Principal = {
          Service = "pods.eks.amazonaws.com"
        }
      },
    ]
    Version = "2012-10-17"
  })
  description = "Steps of pipec in the namespace ml."
  policies = [
    {
      policy_document = jsonencode({
        Statement = [
          {
            Action = [
              "s3:GetObject",
              "s3:PutObject",
              "s3:AbortMultipartUpload",
            ]
            Effect = "Allow"
            Resource = [
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/blobs/*",
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/attempts/ml/*",
            ]
          },
          {
            Action = "s3:PutObject"
            Condition = {
              Bool = {
                "s3:ObjectCreationOperation" = "true"
              }
              Null = {
                "s3:if-none-match" = "true"
              }
            }
            Effect = "Deny"
            Resource = [
              "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}/pipec/blobs/*",
            ]
            Sid = "KeepContent"
          },
          {
            Action   = "s3:ListBucket"
            Effect   = "Allow"
            Resource = "arn:${data.aws_partition.current.partition}:s3:::${awscc_s3_bucket.bucket.id}"
          },
        ]
        Version = "2012-10-17"
      })
      policy_name = "artifact-store"
    },
  ]
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
}

resource "awscc_eks_pod_identity_association" "identity_ml_train0_steps_x587569" {
  cluster_name    = "shared"
  namespace       = "ml"
  role_arn        = awscc_iam_role.steps_role_ml.arn
  service_account = "train-0-steps"
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
}

resource "awscc_eks_pod_identity_association" "identity_ml_train1_steps_xa3a987" {
  cluster_name    = "shared"
  namespace       = "ml"
  role_arn        = awscc_iam_role.steps_role_ml.arn
  service_account = "train-1-steps"
  tags = [
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
}

output "bucket" {
  description = "The bucket of the artifact store."
  value       = "${awscc_s3_bucket.bucket.id}"
}

output "cluster" {
  description = "The ARN of the cluster."
  value       = "arn:${data.aws_partition.current.partition}:eks:eu-central-1:${data.aws_caller_identity.current.account_id}:cluster/shared"
}

output "coordinator_role" {
  description = "The role of coordinators."
  value       = awscc_iam_role.coordinator_role_ml.arn
}

output "region" {
  description = "The region."
  value       = "eu-central-1"
}

output "steps_role" {
  description = "The role of steps."
  value       = awscc_iam_role.steps_role_ml.arn
}

