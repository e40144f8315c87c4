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

resource "awscc_iam_role" "cluster_role" {
  assume_role_policy_document = jsonencode({
    Statement = [
      {
        Action = [
          "sts:AssumeRole",
          "sts:TagSession",
        ]
        Effect = "Allow"
        Principal = {
          Service = "eks.amazonaws.com"
        }
      },
    ]
    Version = "2012-10-17"
  })
  description = "The EKS cluster of pipec."
  managed_policy_arns = [
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSBlockStoragePolicy",
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSClusterPolicy",
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSComputePolicy",
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSLoadBalancingPolicy",
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSNetworkingPolicy",
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

resource "awscc_iam_role" "node_role" {
  assume_role_policy_document = jsonencode({
    Statement = [
      {
        Action = [
          "sts:AssumeRole",
        ]
        Effect = "Allow"
        Principal = {
          Service = "ec2.amazonaws.com"
        }
      },
    ]
    Version = "2012-10-17"
  })
  description = "The nodes of the EKS cluster of pipec."
  managed_policy_arns = [
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy",
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

resource "awscc_eks_cluster" "cluster" {
  access_config = {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }
  bootstrap_self_managed_addons = false
  compute_config = {
    enabled = true
    node_pools = [
      "general-purpose",
      "system",
    ]
    node_role_arn = awscc_iam_role.node_role.arn
  }
  kubernetes_network_config = {
    elastic_load_balancing = {
      enabled = true
    }
  }
  name = "pipec-digits-prod"
  resources_vpc_config = {
    endpoint_private_access = true
    endpoint_public_access  = true
    subnet_ids = [
      "subnet-0123456789abcdef0",
      "subnet-0123456789abcdef1",
    ]
  }
  role_arn = awscc_iam_role.cluster_role.arn
  storage_config = {
    block_storage = {
      enabled = true
    }
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
}

output "cluster" {
  description = "The ARN of the cluster."
  value       = awscc_eks_cluster.cluster.arn
}

output "region" {
  description = "The region."
  value       = "eu-central-1"
}

