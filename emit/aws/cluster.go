package aws

import (
	"pipec.dev/pipec/schema/kinds"
)

// clusters adds the EKS cluster, unless it exists already.
func (b *builder) clusters() {
	if b.Cluster != "" {
		b.cluster = b.Cluster
		b.output("Cluster", "The ARN of the cluster.", text("arn:"+partition+":eks:"+region+":"+account+":cluster/"+b.Cluster))
		return
	}
	subnets, after := plain(b.Subnets...), []string(nil)
	if b.Creates(kinds.RecipeNetwork) {
		subnets, after = b.network()
	}
	b.role("ClusterRole", "The EKS cluster of pipec.", service("eks."+"amazonaws.com", "sts:AssumeRole", "sts:TagSession"), object{
		"ManagedPolicyArns": managed("AmazonEKSBlockStoragePolicy", "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy"),
	})
	b.role("NodeRole", "The nodes of the EKS cluster of pipec.", service("ec2."+"amazonaws.com", "sts:AssumeRole"), object{
		"ManagedPolicyArns": managed("AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"),
	})
	properties := object{
		"Name":    b.Name,
		"RoleArn": attribute{"ClusterRole", "Arn"},
		"AccessConfig": object{
			"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": true,
		},
		"BootstrapSelfManagedAddons": false,
		"ComputeConfig":              object{"Enabled": true, "NodePools": plain("general-purpose", "system"), "NodeRoleArn": attribute{"NodeRole", "Arn"}},
		"KubernetesNetworkConfig":    object{"ElasticLoadBalancing": object{"Enabled": true}},
		"StorageConfig":              object{"BlockStorage": object{"Enabled": true}},
		"ResourcesVpcConfig":         object{"EndpointPrivateAccess": true, "EndpointPublicAccess": true, "SubnetIds": subnets},
		"Tags":                       b.tags(""),
	}
	if b.DeletionProtection {
		properties["DeletionProtection"] = true
	}
	b.add("Cluster", "AWS::EKS::Cluster", properties).after = after
	b.cluster = ref("Cluster")
	b.output("Cluster", "The ARN of the cluster.", attribute{"Cluster", "Arn"})
}

// service returns the trust policy of a role that a service of AWS assumes.
func service(name string, actions ...string) document {
	return policy(object{"Effect": "Allow", "Principal": object{"Service": name}, "Action": plain(actions...)})
}

// managed returns the ARNs of policies of AWS.
func managed(names ...string) list {
	var out list
	for _, name := range names {
		out = append(out, text("arn:"+partition+":iam::aws:policy/"+name))
	}
	return out
}
