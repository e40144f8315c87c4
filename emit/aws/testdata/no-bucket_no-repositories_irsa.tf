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

output "cluster" {
  description = "The ARN of the cluster."
  value       = "arn:${data.aws_partition.current.partition}:eks:eu-central-1:${data.aws_caller_identity.current.account_id}:cluster/shared"
}

output "region" {
  description = "The region."
  value       = "eu-central-1"
}

