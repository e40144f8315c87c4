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
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/blobs/*",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/programs/*",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/attempts/ml/*",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/runs/ml/*",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/runs/.write-once",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/cache/ml/*",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/index/ml/*",
            ]
          },
          {
            Action   = "s3:ListBucket"
            Effect   = "Allow"
            Resource = "arn:${data.aws_partition.current.partition}:s3:::data-of-mine"
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
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/blobs/*",
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/attempts/ml/*",
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
              "arn:${data.aws_partition.current.partition}:s3:::data-of-mine/pipec/blobs/*",
            ]
            Sid = "KeepContent"
          },
          {
            Action   = "s3:ListBucket"
            Effect   = "Allow"
            Resource = "arn:${data.aws_partition.current.partition}:s3:::data-of-mine"
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
  value       = "data-of-mine"
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

