package language

import (
	"slices"
	"strings"
)

// Main returns the attribute that is meant if a block is written as a single value, such as retry = 3: the only one that is required, or
// the one that nearly every such block sets. It returns nil if there is none.
func (b *Block) Main() *Attribute {
	switch b.Name {
	case "image":
		return b.Attribute("base")
	case "output":
		if b.Attribute("value") == nil { // a step's output, and not a pipeline's
			return b.Attribute("type")
		}
	case "retry":
		return b.Attribute("attempts")
	case "step", "finally":
		return b.Attribute("command")
	case "toleration":
		return b.Attribute("key")
	}
	var main *Attribute
	for _, a := range b.Attributes {
		switch {
		case a.Required && main != nil:
			return nil
		case a.Required:
			main = a
		}
	}
	if main == nil {
		main = b.Attribute("default")
	}
	return main
}

// Foreign returns the attribute or block of b that other tools, such as Argo Workflows, Airflow, GitHub Actions and Terraform, call by a
// name that b doesn't have. It returns "" for any other name.
func (b *Block) Foreign(name string) string {
	key := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	for _, f := range foreign() {
		if f.name != "" && b.Attribute(f.name) == nil && b.Block(f.name) == nil {
			continue
		}
		if slices.Contains(strings.Fields(f.blocks), blockName(b)) && slices.Contains(strings.Fields(f.words), key) {
			return f.name
		}
	}
	return ""
}

// blockName returns the name of a block in the table of foreign words.
func blockName(b *Block) string {
	switch b.Name {
	case "":
		return "root"
	case "finally", "defaults":
		return "step"
	}
	return b.Name
}

// word is a name of the language, in some blocks, and what others call it: in lower case, without _ and -.
type word struct{ blocks, name, words string }

// foreign returns the words of other tools. An entry applies only to those of its blocks that have the name.
func foreign() []word {
	return []word{
		{"root", "pipeline", "workflow dag flow job task"},
		{"root", "variable", "var input"},
		{"root", "library", "module import"},
		{"root", "stack", "environment target provider backend"},
		{"root", "pipec", "terraform project settings"},

		{"pipeline", "step", "task job node stage operator container"},
		{"pipeline", "param", "parameter parameters params input inputs arg arguments variable"},
		{"pipeline", "schedule", "cron trigger triggers scheduleinterval"},
		{"pipeline", "finally", "onexit exithandler always cleanup post"},
		{"pipeline", "outputs", "results returns"},
		{"pipeline", "defaults", "defaultargs templatedefaults"},
		{"pipeline", "on_failure", "failfast onerror failurepolicy"},

		{"step", "when", "if condition onlyif runif"},
		{"step", "depends_on", "needs dependencies depends requires after runafter upstream"},
		{"step", "for_each", "loop foreach matrix withitems withparam withsequence items strategy expand count"},
		{"step", "command", "cmd run exec entrypoint shell bash container"},
		{"step", "env", "environment environmentvariables envvars variables"},
		{"step", "secret_env", "secret secrets envfrom"},
		{"step", "retry", "retries maxretries retrystrategy retrypolicy attempts"},
		{"step", "code", "workingdir workdir cwd workingdirectory"},
		{"step", "inputs", "parameters params arguments with"},
		{"step", "outputs", "results returns artifacts"},
		{"step", "pipeline", "template uses subworkflow workflow"},
		{"step", "python", "function callable pythoncallable handler"},
		{"step", "cache", "memoize caching"},
		{"step", "continue_on_failure", "allowfailure ignoreerrors continueonerror continueon"},
		{"step", "resources", "limits requests"},
		{"step", "affinity", "nodeaffinity"},
		{"step pipeline", "max_parallel", "parallelism parallel maxconcurrency maxactivetasks"},
		{"step pipeline", "timeout", "activedeadlineseconds executiontimeout timeoutseconds timeoutminutes deadline"},

		{"retry", "attempts", "maxretries retries maxattempts limit count max"},
		{"retry", "delay", "backoff interval wait retrydelay"},
		{"retry", "factor", "multiplier backofffactor"},
		{"retry", "max_delay", "maxbackoff maxinterval"},
		{"retry", "within", "maxduration"},
		{"retry", "on_exit_codes", "exitcodes"},
		{"retry", "when", "if condition expression retrypolicy"},

		{"resources", "memory", "mem ram"},
		{"resources", "cpu", "cpus cores"},
		{"resources", "gpu", "gpus accelerator accelerators gpucount gpulimit"},
		{"resources", "gpu_type", "acceleratortype"},
		{"resources", "memory_limit", "limit limits"},
		{"resources", "ephemeral_storage", "disk storage"},

		{"schedule", "cron", "expression interval every schedule"},
		{"schedule", "timezone", "tz"},
		{"schedule", "overlap", "concurrency concurrencypolicy"},
		{"schedule", "suspend", "pause paused enabled disabled"},
		{"schedule", "deadline", "startingdeadlineseconds"},
		{"schedule", "params", "parameters arguments inputs"},

		{"param variable", "default", "value"},
		{"param", "enum", "choices options values allowed allowedvalues oneof"},
		{"param variable", "description", "help doc"},
		{"param variable", "validation", "validate check pattern"},

		{"input", "value", "from source path"},
		{"output", "glob", "path pattern"},
		{"output", "file", "valuefrom from"},
		{"output", "type", "schema kind"},

		{"approval", "message", "prompt question text"},
		{"cache", "ttl", "maxage maxstaleness expiry"},
		{"repeat", "max", "limit attempts times count"},
		{"repeat", "until", "while condition when"},
		{"concurrency", "group", "name key mutex semaphore"},
		{"concurrency", "limit", "max slots"},

		{"image", "base", "from name ref"},
		{"image", "requirements", "pip packagestoinstall pythonpackages"},
		{"image", "packages", "apt systempackages"},
		{"code", "dir", "path source src directory"},
		{"library", "source", "path dir"},
		{"library", "vars", "variables inputs params"},

		{"stack", "orchestrator", "executor runner provider backend"},
		{"stack", "artifact_store", "storage store bucket artifacts"},
		{"stack", "container_registry", "registry"},
		{"orchestrator", "context", "kubecontext cluster kubeconfigcontext configcontext"},
		{"artifact_store", "path", "bucket url uri"},
		{"container_registry", "uri", "url registry host"},
	}
}
