// Package network makes the network that the cluster lives in: a network namespace with the node's address, a pair of
// veth devices that joins it to the host's, and the rules that lead the API's service address to the API server, which
// saves a kube-proxy. There is no route from it to anywhere else, so nothing in it can send beyond this machine.
package network

import (
	"fmt"
	"os"
	"os/exec"
	"strings"

	"pipec.dev/pipec/test/cluster/place"
)

const (
	hostLink = "pipec-host" // the host's end of the pair
	nodeLink = "pipec-node" // the namespace's end
)

// Exists reports whether the network exists.
func Exists() bool {
	_, err := os.Stat("/var/run/netns/" + place.Namespace)
	if err != nil {
		return false
	}
	_, err = os.Stat("/sys/class/net/" + hostLink)
	return err == nil
}

// Up makes the network. There must be none.
func Up() error {
	inside := func(words string) string { return "ip -n " + place.Namespace + " " + words }
	dnat := func(chain string) string {
		return fmt.Sprintf("nsenter --net=/var/run/netns/%s iptables -w -t nat -A %s -d %s -p tcp --dport 443 -j DNAT --to-destination %s",
			place.Namespace, chain, place.APIInPods, place.API)
	}
	for _, command := range []string{
		"ip netns add " + place.Namespace,
		inside("link set lo up"),
		inside("addr add " + place.Node + "/32 dev lo"),
		"ip link add " + hostLink + " type veth peer name " + nodeLink + " netns " + place.Namespace,
		"ip addr add " + place.HostSide + place.LinkBits + " dev " + hostLink,
		"ip link set " + hostLink + " up",
		inside("addr add " + place.NodeSide + place.LinkBits + " dev " + nodeLink),
		inside("link set " + nodeLink + " up"),
		"ip route add " + place.Node + "/32 via " + place.NodeSide + " dev " + hostLink,
		// Addresses of services lead nowhere but through the rules; without a route they would not get as far.
		inside("route add " + place.Services + " dev lo"),
		dnat("OUTPUT"),
		dnat("PREROUTING"),
	} {
		if err := run(command); err != nil {
			return err
		}
	}
	return nil
}

// Down removes the network. It is not an error if a part of it is missing.
func Down() error {
	if _, err := os.Stat("/sys/class/net/" + hostLink); err == nil {
		if err := run("ip link delete " + hostLink); err != nil {
			return err
		}
	}
	if _, err := os.Stat("/var/run/netns/" + place.Namespace); err == nil {
		return run("ip netns delete " + place.Namespace)
	}
	return nil
}

func run(command string) error {
	argv := strings.Fields(command)
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, strings.TrimSpace(string(out)))
	}
	return nil
}
