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

resource "awscc_ecr_repository" "repository_digits_train_xfeb75d" {
  encryption_configuration = {
    encryption_type = "AES256"
  }
  image_scanning_configuration = {
    scan_on_push = true
  }
  image_tag_mutability = "MUTABLE"
  lifecycle_policy = {
    lifecycle_policy_text = jsonencode({
      rules = [
        {
          action = {
            type = "expire"
          }
          description  = "Remove images without a tag. Locks and runs refer to images with one."
          rulePriority = 1
          selection = {
            countNumber = 14
            countType   = "sinceImagePushed"
            countUnit   = "days"
            tagStatus   = "untagged"
          }
        },
      ]
    })
  }
  repository_name = "pipec-digits-prod/digits/train"
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

resource "awscc_ecr_repository" "repository_pipec_agent_xfa0571" {
  encryption_configuration = {
    encryption_type = "AES256"
  }
  image_scanning_configuration = {
    scan_on_push = true
  }
  image_tag_mutability = "MUTABLE"
  lifecycle_policy = {
    lifecycle_policy_text = jsonencode({
      rules = [
        {
          action = {
            type = "expire"
          }
          description  = "Remove images without a tag. Locks and runs refer to images with one."
          rulePriority = 1
          selection = {
            countNumber = 14
            countType   = "sinceImagePushed"
            countUnit   = "days"
            tagStatus   = "untagged"
          }
        },
      ]
    })
  }
  repository_name = "pipec-digits-prod/pipec-agent"
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

resource "awscc_iam_role" "coordinator_role_ml" {
  assume_role_policy_document = jsonencode({
    Statement = [
      {
        Action = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "oidc.eks.eu-central-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
          }
          StringLike = {
            "oidc.eks.eu-central-1.amazonaws.com/id/ABC:sub" = [
              "system:serviceaccount:ml:train-0-run",
              "system:serviceaccount:ml:train-1-run",
            ]
          }
        }
        Effect = "Allow"
        Principal = {
          Federated = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC"
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

resource "awscc_iam_role" "steps_role_ml" {
  assume_role_policy_document = jsonencode({
    Statement = [
      {
        Action = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "oidc.eks.eu-central-1.amazonaws.com/id/ABC:aud" = "sts.amazonaws.com"
          }
          StringLike = {
            "oidc.eks.eu-central-1.amazonaws.com/id/ABC:sub" = [
              "system:serviceaccount:ml:train-0-steps",
              "system:serviceaccount:ml:train-1-steps",
            ]
          }
        }
        Effect = "Allow"
        Principal = {
          Federated = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC"
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

output "registry" {
  description = "The address of the registry."
  value       = "${data.aws_caller_identity.current.account_id}.dkr.ecr.eu-central-1.${data.aws_partition.current.dns_suffix}/pipec-digits-prod"
}

output "steps_role" {
  description = "The role of steps."
  value       = awscc_iam_role.steps_role_ml.arn
}

