package docs

// group is a group of functions, in the order of the page.
type group struct {
	name, doc string
	entries   []entry
}

// entry is a function with expressions that call it. doc is text in addition to the function's own description, which
// compiler/evaluate has.
type entry struct {
	name     string
	doc      string
	examples []string
}

// exampleFiles are the files that the examples read.
var exampleFiles = map[string]string{
	"greeting.txt":  "Hello.",
	"greeting.tmpl": "Hello, ${name}!",
}

var groups = []group{
	{"Numbers", "", []entry{
		{"abs", "", []string{`abs(-2.5)`}},
		{"ceil", "", []string{`ceil(1.2)`}},
		{"floor", "", []string{`floor(1.8)`}},
		{"log", "", []string{`log(8, 2)`}},
		{"max", "", []string{`max(1, 3, 2)`, `max([1, 3, 2]...)`}},
		{"sum", "", []string{`sum([1, 3, 2])`, `sum([])`}},
		{"alltrue", "", []string{`alltrue([true, false])`, `alltrue([])`}},
		{"anytrue", "", []string{`anytrue([true, false])`, `anytrue([])`}},
		{"min", "", []string{`min(1, 3, 2)`}},
		{"parseint", "", []string{`parseint("ff", 16)`}},
		{"pow", "", []string{`pow(2, 10)`}},
		{"signum", "", []string{`signum(-3)`}},
	}},
	{"Strings", "", []entry{
		{"base64decode", "", []string{`base64decode("cGlwZWM=")`}},
		{"base64encode", "", []string{`base64encode("pipec")`}},
		{"basename", "", []string{`basename("data/train.csv")`}},
		{"chomp", "", []string{`chomp("text\n")`}},
		{"dirname", "", []string{`dirname("data/train.csv")`, `dirname("train.csv")`}},
		{"endswith", "", []string{`endswith("model.pkl", ".pkl")`}},
		{"format", "", []string{`format("%s-%03d", "run", 7)`, `format("%.1f%%", 96.88)`}},
		{"formatlist", "", []string{`formatlist("fold-%d", [1, 2])`}},
		{"indent", "", []string{`indent(2, "a\nb")`}},
		{"join", "", []string{`join("-", ["a", "b"])`}},
		{"lower", "", []string{`lower("ABC")`}},
		{"regex", "", []string{`regex("[0-9]+", "epoch 12 of 40")`, `regex("(?P<epoch>[0-9]+) of (?P<all>[0-9]+)", "epoch 12 of 40")`}},
		{"regexall", "", []string{`regexall("[0-9]+", "epoch 12 of 40")`}},
		{"replace", "", []string{`replace("a-b-c", "-", "/")`}},
		{"sha256", "", []string{`sha256("pipec")`}},
		{"split", "", []string{`split(",", "a,b")`}},
		{"startswith", "", []string{`startswith("s3://bucket", "s3://")`}},
		{"strcontains", "", []string{`strcontains("s3://bucket/key", "bucket")`}},
		{"strrev", "", []string{`strrev("abc")`}},
		{"substr", "", []string{`substr("artifact", 0, 3)`}},
		{"title", "", []string{`title("hello world")`}},
		{"trim", "", []string{`trim("--a--", "-")`}},
		{"trimprefix", "", []string{`trimprefix("s3://bucket", "s3://")`}},
		{"trimspace", "", []string{`trimspace("  a ")`}},
		{"trimsuffix", "", []string{`trimsuffix("model.pkl", ".pkl")`}},
		{"upper", "", []string{`upper("abc")`}},
		{"urlencode", "", []string{`urlencode("a b&c")`}},
	}},
	{"Collections", "", []entry{
		{"chunklist", "", []string{`chunklist([1, 2, 3], 2)`}},
		{"coalescelist", "", []string{`coalescelist([], ["a"])`}},
		{"compact", "", []string{`compact(["a", "", "b"])`}},
		{"concat", "", []string{`concat(["a"], ["b", "c"])`}},
		{"contains", "", []string{`contains(["a", "b"], "a")`}},
		{"distinct", "", []string{`distinct(["a", "b", "a"])`}},
		{"element", "", []string{`element(["a", "b"], 3)`}},
		{"flatten", "", []string{`flatten([["a"], ["b", ["c"]]])`}},
		{"index", "", []string{`index(["a", "b"], "b")`}},
		{"keys", "", []string{`keys({ b = 1, a = 2 })`}},
		{"length", "", []string{`length(["a", "b"])`, `length("abc")`}},
		{"lookup", "", []string{`lookup({ a = 1 }, "b", 0)`}},
		{"merge", "", []string{`merge({ a = 1, b = 1 }, { b = 2 })`}},
		{"one", "", []string{`one(["a"])`, `one([])`}},
		{"range", "It returns at most 100,000 numbers.", []string{`range(3)`, `range(1, 4)`, `range(0, 1, 0.5)`}},
		{"reverse", "", []string{`reverse([1, 2])`}},
		{"setintersection", "", []string{`setintersection(["a", "b"], ["b", "c"])`}},
		{"setproduct", "", []string{`setproduct(["a", "b"], ["x"])`}},
		{"setsubtract", "", []string{`setsubtract(["a", "b"], ["b"])`}},
		{"setunion", "", []string{`setunion(["a"], ["b"])`}},
		{"slice", "", []string{`slice(["a", "b", "c"], 1, 3)`}},
		{"sort", "", []string{`sort(["b", "a"])`}},
		{"values", "", []string{`values({ b = 1, a = 2 })`}},
		{"zipmap", "", []string{`zipmap(["a", "b"], [1, 2])`}},
	}},
	{"Text formats", "", []entry{
		{"csvdecode", "", []string{`csvdecode("a,b\n1,2\n")`}},
		{"jsondecode", "", []string{`jsondecode("{\"a\": [1, 2]}")`}},
		{"jsonencode", "", []string{`jsonencode({ a = [1, 2] })`}},
		{"yamldecode", "", []string{`yamldecode("a: [1, two]")`}},
		{"yamlencode", "", []string{`yamlencode({ a = [1, "two"] })`}},
	}},
	{"Time", "A time is an input, such as `run.scheduled_at` or a param: there is no function that reads the clock.", []entry{
		{"formatdate", "", []string{`formatdate("YYYY-MM-DD", "2026-01-02T03:04:05Z")`}},
		{"timeadd", "", []string{`timeadd("2026-01-02T03:04:05Z", "36h")`}},
	}},
	{"Conversion", "Values are not converted to other types automatically, except inside a template.", []entry{
		{"tobool", "", []string{`tobool("true")`}},
		{"tolist", "", []string{`tolist(["a", "b"])`}},
		{"tomap", "", []string{`tomap({ a = 1 })`}},
		{"tonumber", "", []string{`tonumber("12")`}},
		{"toset", "", []string{`toset(["b", "a", "b"])`}},
		{"tostring", "", []string{`tostring(12)`}},
	}},
	{"Null and errors", "", []entry{
		{"can", "", []string{`can(tonumber("12"))`, `can(tonumber("twelve"))`, `can({ a = 1 }.b)`}},
		{"coalesce", "", []string{`coalesce(null, "a")`, `coalesce("", "a")`}},
		{"try", "", []string{`try(tonumber("twelve"), 0)`, `try({ lr = 0.1 }.epochs, 10)`, `try({ lr = 0.1 }.epochs, null)`}},
	}},
	{"Files", "These functions read files of the project, and can be called only when compiling. The examples read `greeting.txt`, which contains `Hello.`, and `greeting.tmpl`, which contains `Hello, ${name}!`.", []entry{
		{"file", "", []string{`file("greeting.txt")`}},
		{"fileexists", "", []string{`fileexists("greeting.txt")`, `fileexists("missing.txt")`}},
		{"fileset", "", []string{`fileset(".", "*.txt")`}},
		{"filesha256", "", []string{`filesha256("greeting.txt")`}},
		{"templatefile", "", []string{`templatefile("greeting.tmpl", { name = "Ada" })`}},
	}},
}
