# What the stack prod of the pipec project digits runs on. Written by pipec stack recipe.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws   = { source = "hashicorp/aws" }
    awscc = { source = "hashicorp/awscc" }
  }
}

provider "aws" {
  region = "us-east-1"
}

provider "awscc" {
  region = "us-east-1"
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
  bucket_name = "pipec-digits-prod-${data.aws_caller_identity.current.account_id}-us-east-1"
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

resource "awscc_ec2_vpc" "vpc" {
  cidr_block           = "10.42.0.0/16"
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
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

resource "awscc_ec2_internet_gateway" "internet_gateway" {
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
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

resource "awscc_ec2_vpc_gateway_attachment" "internet_gateway_attachment" {
  internet_gateway_id = awscc_ec2_internet_gateway.internet_gateway.id
  vpc_id              = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_route_table" "public_routes" {
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
  vpc_id = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_route" "public_route" {
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = awscc_ec2_internet_gateway.internet_gateway.id
  route_table_id         = awscc_ec2_route_table.public_routes.id
  depends_on             = [awscc_ec2_vpc_gateway_attachment.internet_gateway_attachment]
}

resource "awscc_ec2_subnet" "public_subnet_a" {
  availability_zone_id    = "use1-az1"
  cidr_block              = "10.42.0.0/20"
  map_public_ip_on_launch = true
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
    {
      key   = "kubernetes.io/role/elb"
      value = "1"
    },
  ]
  vpc_id = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_subnet_route_table_association" "public_subnet_a_routes" {
  route_table_id = awscc_ec2_route_table.public_routes.id
  subnet_id      = awscc_ec2_subnet.public_subnet_a.id
}

resource "awscc_ec2_subnet" "public_subnet_b" {
  availability_zone_id    = "use1-az2"
  cidr_block              = "10.42.16.0/20"
  map_public_ip_on_launch = true
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
    {
      key   = "kubernetes.io/role/elb"
      value = "1"
    },
  ]
  vpc_id = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_subnet_route_table_association" "public_subnet_b_routes" {
  route_table_id = awscc_ec2_route_table.public_routes.id
  subnet_id      = awscc_ec2_subnet.public_subnet_b.id
}

resource "awscc_ec2_eip" "nat_address" {
  domain = "vpc"
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
  depends_on = [awscc_ec2_vpc_gateway_attachment.internet_gateway_attachment]
}

resource "awscc_ec2_nat_gateway" "nat_gateway" {
  allocation_id = awscc_ec2_eip.nat_address.allocation_id
  subnet_id     = awscc_ec2_subnet.public_subnet_a.id
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
  depends_on = [awscc_ec2_route.public_route]
}

resource "awscc_ec2_route_table" "private_routes" {
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
  ]
  vpc_id = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_route" "private_route" {
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = awscc_ec2_nat_gateway.nat_gateway.id
  route_table_id         = awscc_ec2_route_table.private_routes.id
}

resource "awscc_ec2_subnet" "private_subnet_a" {
  availability_zone_id    = "use1-az1"
  cidr_block              = "10.42.64.0/18"
  map_public_ip_on_launch = false
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
    {
      key   = "kubernetes.io/role/internal-elb"
      value = "1"
    },
  ]
  vpc_id = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_subnet_route_table_association" "private_subnet_a_routes" {
  route_table_id = awscc_ec2_route_table.private_routes.id
  subnet_id      = awscc_ec2_subnet.private_subnet_a.id
}

resource "awscc_ec2_subnet" "private_subnet_b" {
  availability_zone_id    = "use1-az2"
  cidr_block              = "10.42.128.0/18"
  map_public_ip_on_launch = false
  tags = [
    {
      key   = "Name"
      value = "pipec-digits-prod"
    },
    {
      key   = "pipec:project"
      value = "digits"
    },
    {
      key   = "pipec:stack"
      value = "prod"
    },
    {
      key   = "kubernetes.io/role/internal-elb"
      value = "1"
    },
  ]
  vpc_id = awscc_ec2_vpc.vpc.id
}

resource "awscc_ec2_subnet_route_table_association" "private_subnet_b_routes" {
  route_table_id = awscc_ec2_route_table.private_routes.id
  subnet_id      = awscc_ec2_subnet.private_subnet_b.id
}

resource "awscc_ec2_vpc_endpoint" "s3_endpoint" {
  route_table_ids = [
    awscc_ec2_route_table.private_routes.id,
  ]
  service_name      = "com.amazonaws.us-east-1.s3"
  vpc_endpoint_type = "Gateway"
  vpc_id            = awscc_ec2_vpc.vpc.id
}

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
      awscc_ec2_subnet.private_subnet_a.id,
      awscc_ec2_subnet.private_subnet_b.id,
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
  depends_on = [awscc_ec2_route.private_route, awscc_ec2_vpc_endpoint.s3_endpoint, awscc_ec2_subnet_route_table_association.private_subnet_a_routes, awscc_ec2_subnet_route_table_association.private_subnet_b_routes]
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
  cluster_name    = awscc_eks_cluster.cluster.id
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
  cluster_name    = awscc_eks_cluster.cluster.id
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
  cluster_name    = awscc_eks_cluster.cluster.id
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
  cluster_name    = awscc_eks_cluster.cluster.id
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
  value       = awscc_eks_cluster.cluster.arn
}

output "coordinator_role" {
  description = "The role of coordinators."
  value       = awscc_iam_role.coordinator_role_ml.arn
}

output "region" {
  description = "The region."
  value       = "us-east-1"
}

output "registry" {
  description = "The address of the registry."
  value       = "${data.aws_caller_identity.current.account_id}.dkr.ecr.us-east-1.${data.aws_partition.current.dns_suffix}/pipec-digits-prod"
}

output "steps_role" {
  description = "The role of steps."
  value       = awscc_iam_role.steps_role_ml.arn
}

