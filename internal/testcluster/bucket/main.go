// Command bucket makes a bucket on the test cluster's S3 server, for scripts: bucket NAME.
package main

import (
	"context"
	"fmt"
	"os"

	"pipec.dev/pipec/internal/testcluster"
)

func main() {
	c, ok := testcluster.Find()
	if !ok || len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, `usage: eval "$(make -s cluster-env)"; bucket NAME`)
		os.Exit(64)
	}
	if err := c.MakeBucket(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "bucket:", err)
		os.Exit(1)
	}
}
