package program

// LockFile is the name of the lock file in the directory of the project.
const LockFile = "pipec.lock.json"

// LockVersion is the version of the JSON form of the lock. A reader rejects a newer one.
const LockVersion = 1

// Lock is pipec.lock.json: the digests that push resolved or created for the names in the source. The file is committed, and
// compiling, emitting and planning offline read nothing else.
type Lock struct {
	Version int `json:"version"`
	// Agents holds the pushed image of pipec-agent for each registry, by its URI ("" for a stack without one). The references are
	// pinned by digest.
	Agents map[string]string `json:"agents,omitempty"`
	// Codes are the pushed code bundles, by LockedCodeKey.
	Codes map[string]LockedCode `json:"codes,omitempty"`
	// Images pins references: those that the source writes, and the reference of each image block; see kube.ImageReference.
	Images map[string]LockedImage `json:"images,omitempty"`
	// Builds are the images that pipec built, by the name of the image block.
	Builds map[string]LockedBuild `json:"builds,omitempty"`
	// Packages are the Python packages of those images, by LockedPackageKey.
	Packages map[string]LockedPackage `json:"packages,omitempty"`
	// Clusters holds the properties of clusters that definitions depend on, by the name of the stack.
	Clusters map[string]LockedCluster `json:"clusters,omitempty"`
	// Recipes holds what `stack up` has made, by the name of the stack.
	Recipes map[string]LockedRecipe `json:"recipes,omitempty"`
}

// LockedCluster holds the properties of a cluster when it was last queried.
type LockedCluster struct {
	Version string `json:"version"` // of Kubernetes, such as "1.37"
	// Wrapper is "init" where a node's container runtime has no image volumes; "" leaves it to the version.
	Wrapper string `json:"wrapper,omitempty"`
}

// LockedCode is a pushed code bundle.
type LockedCode struct {
	// Digest is of the tree, as Run.Codes has it. It follows from the files alone, so that a caller who has them can check
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

// LockedBuild is what the packages of an image were resolved from.
type LockedBuild struct {
	// Inputs is the digest of the image block and the files that it names: if it differs, the packages are resolved again.
	Inputs string `json:"inputs"`
	// Base is the base, pinned by digest.
	Base string `json:"base"`
}

// LockedPackage is a wheel of an image.
type LockedPackage struct {
	Version string `json:"version"`
	URL     string `json:"url"`            // or a path relative to the project
	Digest  string `json:"digest"`         // sha256:… of the wheel
	Size    int64  `json:"size,omitempty"` // of the wheel in bytes; 0: unknown
}

// LockedPackageKey is the key of a package in Lock.Packages. The platform is such as linux/amd64, and the name is normalized.
func LockedPackageKey(image, platform, name string) string {
	return image + "/" + platform + "/" + name
}

// LockedCodeKey is the key of a code block in Lock.Codes: stacks have stores of their own.
func LockedCodeKey(stack, code string) string { return stack + "/" + code }
