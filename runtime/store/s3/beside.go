package s3

import "pipec.dev/pipec/schema/program"

// Kind is the kind of the stores of this package in a stack.
const Kind = "s3"

// Beside returns another bucket as a store. It is at the same server as a stack's own store, and read in the same way, if
// that store is in S3 too.
func Beside(own program.Store, bucket string) program.Store {
	out := program.Store{Kind: Kind, Path: "s3://" + bucket}
	if own.Kind == Kind {
		out.Region, out.Endpoint, out.PathStyle = own.Region, own.Endpoint, own.PathStyle
	}
	return out
}
