#!/bin/sh
# Runs the life of a stack on AWS itself: stack up, push, a run on EKS, stack down. It makes an EKS cluster, a network with a NAT gateway, a bucket
# and repositories in the account of the current AWS credentials, and removes all of it.
#
# It takes about 45 minutes and costs about 1 US dollar: 0.15 an hour for the cluster and the network, and the nodes of the run. If it is killed, the
# cluster costs money until this is run: scripts/aws-check.sh down
#
# Usage: scripts/aws-check.sh [up | run | down]    without an argument: all three
#   PIPEC   the command (default: bin/pipec)
#   REGION  the region (default: eu-central-1)
#   DIR     the directory of the project, which must be the same for up, run and down (default: .pipec-aws-check)
set -eu
cd "$(dirname "$0")/.."
pipec=$(realpath "${PIPEC:-bin/pipec}")
region=${REGION:-eu-central-1}
dir=${DIR:-.pipec-aws-check}
command -v aws >/dev/null || { echo "aws-check: the command aws is not installed" >&2; exit 1; }
account=$(aws sts get-caller-identity --query Account --output text)

project() {
	mkdir -p "$dir"
	cat >"$dir/check.pipec.hcl" <<-HCL
	pipec {
	  project = "pipec-aws-check"
	}

	stack "aws" {
	  recipe "aws" {
	    region = "$region"
	    tags   = { purpose = "pipec-aws-check" }
	  }

	  orchestrator "kubernetes" {
	    eks_cluster      = recipe.cluster
	    namespace        = "pipec-aws-check"
	    create_namespace = true
	    synchronous      = true
	  }

	  artifact_store "s3" {
	    path   = "s3://\${recipe.bucket}/pipec"
	    region = recipe.region
	  }

	  container_registry "ecr" {
	    uri = recipe.registry
	  }
	}

	pipeline "hello" {
	  image   = "public.ecr.aws/docker/library/python:3.13-slim"
	  timeout = "30m"

	  step "greet" {
	    command = ["sh", "-c", "echo hello >\${output.greeting.path}"]
	    output "greeting" {
	      type = file
	    }
	  }

	  step "read" {
	    command = ["grep", "hello", input.greeting.path]
	    input "greeting" {
	      value = step.greet.greeting
	    }
	  }
	}
	HCL
}

up() {
	project
	echo "This makes an EKS cluster in account $account, region $region, and costs about 0.15 US dollars an hour until it is removed."
	"$pipec" -C "$dir" stack up
	"$pipec" -C "$dir" stack up --yes | grep "No changes"
}

run() {
	"$pipec" -C "$dir" stack check
	"$pipec" -C "$dir" apply --yes
	"$pipec" -C "$dir" run hello
	"$pipec" -C "$dir" runs
}

down() {
	project
	"$pipec" -C "$dir" destroy --yes || true # without it, the runs would be deleted with the cluster
	"$pipec" -C "$dir" stack down --yes --with-data --confirm-data pipec-aws-check
	aws resourcegroupstaggingapi get-resources --region "$region" --tag-filters Key=pipec:project,Values=pipec-aws-check --query "ResourceTagMappingList[].ResourceARN" --output text
	rm -rf "$dir"
}

case "${1:-all}" in
up) up ;;
run) run ;;
down) down ;;
all)
	trap down EXIT
	up
	run
	;;
*)
	echo "usage: scripts/aws-check.sh [up | run | down]" >&2
	exit 64
	;;
esac
