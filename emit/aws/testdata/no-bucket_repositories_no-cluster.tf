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

output "region" {
  description = "The region."
  value       = "eu-central-1"
}

output "registry" {
  description = "The address of the registry."
  value       = "${data.aws_caller_identity.current.account_id}.dkr.ecr.eu-central-1.${data.aws_partition.current.dns_suffix}/pipec-digits-prod"
}

