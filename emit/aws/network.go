package aws

// The addresses of the network. Nodes and pods are in the private subnets, which have 16,000 addresses each.
const vpcCIDR = "10.42.0.0/16"

var (
	publicCIDRs  = [zones]string{"10.42.0.0/20", "10.42.16.0/20"}
	privateCIDRs = [zones]string{"10.42.64.0/18", "10.42.128.0/18"}
)

// zones is how many availability zones the network uses: EKS requires two.
const zones = 2

// zoneIDs are the zones in the regions with zones that EKS doesn't support. A name such as us-east-1a stands for
// different zones in different accounts, so these regions need IDs.
var zoneIDs = map[string][zones]string{
	"us-east-1":    {"use1-az1", "use1-az2"},
	"us-west-1":    {"usw1-az1", "usw1-az3"},
	"ca-central-1": {"cac1-az1", "cac1-az2"},
}

var letters = [zones]string{"A", "B"}

// network adds a VPC with public and private subnets, and one NAT gateway. It returns the private subnets, and what must exist
// before a node can reach the internet.
func (b *builder) network() (subnets list, after []string) {
	b.add("VPC", "AWS::EC2::VPC", object{"CidrBlock": vpcCIDR, "EnableDnsHostnames": true, "EnableDnsSupport": true, "Tags": b.tags(b.Name)})
	b.add("InternetGateway", "AWS::EC2::InternetGateway", object{"Tags": b.tags(b.Name)})
	b.add("InternetGatewayAttachment", "AWS::EC2::VPCGatewayAttachment", object{"VpcId": ref("VPC"), "InternetGatewayId": ref("InternetGateway")})

	b.routes("Public")
	b.add("PublicRoute", "AWS::EC2::Route", object{
		"RouteTableId": ref("PublicRoutes"), "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": ref("InternetGateway"),
	}).after = []string{"InternetGatewayAttachment"}
	for i := range zones {
		b.subnet("Public", i, publicCIDRs[i], "kubernetes.io/role/elb")
	}
	b.add("NatAddress", "AWS::EC2::EIP", object{"Domain": "vpc", "Tags": b.tags(b.Name)}).after = []string{"InternetGatewayAttachment"}
	b.add("NatGateway", "AWS::EC2::NatGateway", object{
		"AllocationId": attribute{"NatAddress", "AllocationId"}, "SubnetId": ref("PublicSubnetA"), "Tags": b.tags(b.Name),
	}).after = []string{"PublicRoute"}

	b.routes("Private")
	b.add("PrivateRoute", "AWS::EC2::Route", object{
		"RouteTableId": ref("PrivateRoutes"), "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": ref("NatGateway"),
	})
	after = []string{"PrivateRoute", "S3Endpoint"}
	for i := range zones {
		name := b.subnet("Private", i, privateCIDRs[i], "kubernetes.io/role/internal-elb")
		subnets, after = append(subnets, ref(name)), append(after, name+"Routes")
	}
	// Artifacts and the layers of images are in S3. This endpoint is free, and traffic through the NAT gateway is not.
	b.add("S3Endpoint", "AWS::EC2::VPCEndpoint", object{
		"VpcId": ref("VPC"), "VpcEndpointType": "Gateway", "ServiceName": text("com.amazonaws." + region + ".s3"), "RouteTableIds": list{ref("PrivateRoutes")},
	})
	return subnets, after
}

// routes adds the route table of the public or the private subnets.
func (b *builder) routes(side string) {
	b.add(side+"Routes", "AWS::EC2::RouteTable", object{"VpcId": ref("VPC"), "Tags": b.tags(b.Name)})
}

// subnet adds a subnet and connects it with its route table. role is the tag by which EKS finds subnets for load balancers.
func (b *builder) subnet(side string, i int, cidr, role string) (name string) {
	name = side + "Subnet" + letters[i]
	properties := object{
		"VpcId": ref("VPC"), "CidrBlock": cidr, "MapPublicIpOnLaunch": side == "Public",
		"Tags": append(b.tags(b.Name), object{"Key": role, "Value": "1"}),
	}
	if ids, ok := zoneIDs[b.Region]; ok {
		properties["AvailabilityZoneId"] = ids[i]
	} else {
		properties["AvailabilityZone"] = zone(i)
	}
	b.add(name, "AWS::EC2::Subnet", properties)
	b.add(name+"Routes", "AWS::EC2::SubnetRouteTableAssociation", object{"SubnetId": ref(name), "RouteTableId": ref(side + "Routes")})
	return name
}
