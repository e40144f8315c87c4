package program

// LockFile is the lock's name in the project's directory.
const LockFile = "pipec.lock.json"

// LockVersion is the version of the lock's JSON form. A reader refuses a newer one.
const LockVersion = 1

// Lock is pipec.lock.json: what push found or made for what the source names, by digest. The file is committed;
// compiling, emitting and planning offline read nothing else.
type Lock struct {
	Version int `json:"version"`
	// Agents is the image of pipec-agent that was pushed, by the registry's URI ("" where a stack has none): a reference
	// that is pinned by digest.
	Agents map[string]string `json:"agents,omitempty"`
	// Codes are the pushed code bundles, by LockedCodeKey.
	Codes map[string]LockedCode `json:"codes,omitempty"`
	// Images pins references: as the source writes them, or an image block's place in the registry, see kube.ImageReference.
	Images map[string]LockedImage `json:"images,omitempty"`
	// Clusters is what definitions depend on of a stack's cluster, by the stack's name.
	Clusters map[string]LockedCluster `json:"clusters,omitempty"`
}

// LockedCluster is what was known of a cluster when it was asked last.
type LockedCluster struct {
	Version string `json:"version"` // of Kubernetes, such as "1.37"
	// Wrapper is "init" where a node's container runtime has no image volumes; "" leaves it to the version.
	Wrapper string `json:"wrapper,omitempty"`
}

// LockedCode is a pushed code bundle.
type LockedCode struct {
	// Digest is of the tree, as Run.Codes has it. It follows from the files alone, so that whoever has them can tell
	// without the store whether it is old.
	Digest string `json:"digest"`
}

// LockedImage is what a reference stands for.
type LockedImage struct {
	Digest string `json:"digest"` // sha256:… of the manifest or index
	// User is the image's own user, as its config writes it ("", "root", "1000", "app:app").
	User string `json:"user,omitempty"`
	// WorkingDir is the image's own; "" is /.
	WorkingDir string `json:"working_dir,omitempty"`
	// Platforms are what the image is for, as linux/amd64, sorted.
	Platforms []string `json:"platforms,omitempty"`
	// Stacks are those that use it, sorted: when none does any more, push forgets it.
	Stacks []string `json:"stacks,omitempty"`
}

// LockedCodeKey is the key of a code block in Lock.Codes: stacks have stores of their own.
func LockedCodeKey(stack, code string) string { return stack + "/" + code }
