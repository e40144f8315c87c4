package aws

import "pipec.dev/pipec/schema/kinds"

// Cost is what a part of a recipe costs by the hour, approximately: in US dollars, at the list prices of us-east-1.
type Cost struct {
	What string  `json:"what"`
	Hour float64 `json:"usd_per_hour"`
}

// The prices.
const (
	clusterHour = 0.10  // of an EKS cluster
	natHour     = 0.045 // of a NAT gateway
	addressHour = 0.005 // of a public IPv4 address
)

// ByUse names what is paid for by use, besides Costs.
const ByUse = "the nodes of running pods and 12% for EKS Auto Mode, the traffic of the NAT gateway, and what is stored in S3 and ECR"

// Costs returns what the recipe costs without any use.
func (r *Recipe) Costs() []Cost {
	var out []Cost
	if r.Creates(kinds.RecipeCluster) {
		out = append(out, Cost{"the EKS cluster", clusterHour})
	}
	if r.Creates(kinds.RecipeNetwork) {
		out = append(out, Cost{"the NAT gateway", natHour}, Cost{"its public address", addressHour})
	}
	return out
}
