package diag

import "github.com/hashicorp/hcl/v2"

// hclRule translates a diagnostic of HCL: the code for it, a better summary if HCL's own doesn't help, and a function that
// looks for a pitfall in the source.
type hclRule struct {
	code    string
	summary string // "" keeps HCL's
	trap    func(d *Diagnostic, h *hcl.Diagnostic, src *source)
}

// hclRules returns the rules by HCL's summary, which is never translated. All other summaries have the code "syntax".
func hclRules() map[string]hclRule {
	const twoOnALine = "two attributes or blocks are on one line"
	return map[string]hclRule{
		"Missing newline after argument":           {"missing-newline", "", afterArgument},
		"Unexpected comma after argument":          {"missing-newline", "there is a comma between attributes", commaBetween},
		"Missing newline after block definition":   {"missing-newline", twoOnALine, newLineHere},
		"Invalid single-argument block definition": {"missing-newline", "a block on one line continues after its attribute", spreadBlock},
		"Argument definition required":             {"missing-newline", "a block on one line contains a block", spreadBlock},
		"Missing attribute separator":              {"missing-newline", twoOnALine, newLineHere},

		"Invalid template control keyword":                {"interpolation-for-shell", "", unknownDirective},
		"Extra characters after interpolation expression": {"", "", shellComment},
		"Missing false expression in conditional":         {"", "", shellInterpolation},
		"Missing expression":                              {"", "", shellComment},
		"Unclosed template interpolation sequence":        {"unclosed", "", shellInterpolation},
		"Unsupported operator":                            {"", "", shellInterpolation},
		"Invalid expression":                              {"", "", shellInterpolation},
		"Invalid character":                               {"", "", strayCharacter},
		"Argument or block definition required":           {"", "", colonForEquals},

		"Invalid character encoding":                 {code: "encoding", summary: "this is not UTF-8 text"},
		"Invalid multi-line string":                  {code: "unclosed", summary: "a string is not closed on its line"},
		"Unterminated template string":               {code: "unclosed"},
		"Unterminated string literal":                {code: "unclosed"},
		"Unterminated tuple constructor expression":  {code: "unclosed"},
		"Unterminated object constructor expression": {code: "unclosed"},
		"Unterminated function call":                 {code: "unclosed"},
		"Unclosed configuration block":               {code: "unclosed"},
		"Unclosed configuration body":                {code: "unclosed"},
		"Unclosed index brackets":                    {code: "unclosed"},
		"Unbalanced parentheses":                     {code: "unclosed"},
		"Unexpected end of template":                 {code: "unclosed"},
		"Missing closing parenthesis":                {code: "unclosed"},
		"Missing close bracket on index":             {code: "unclosed"},
		"Missing close bracket on splat index":       {code: "unclosed"},

		"Attribute redefined":              {"duplicate", "", setTwice},
		"Duplicate argument":               {code: "duplicate"},
		"Duplicate object key":             {code: "duplicate"},
		"Missing required argument":        {code: "missing"},
		"Unsupported argument":             {code: "unknown-attribute"},
		"Unsupported block type":           {code: "unknown-block"},
		"Unsupported attribute":            {code: "unknown-attribute"},
		"Missing map element":              {code: "unknown-attribute"},
		"Unknown variable":                 {code: "unknown-reference"},
		"Variables not allowed":            {code: "not-constant"},
		"Function calls not allowed":       {code: "not-constant"},
		"Call to unknown function":         {code: "unknown-function"},
		"Error in function call":           {code: "function-call"},
		"Invalid function argument":        {code: "function-call"},
		"Not enough function arguments":    {code: "function-call"},
		"Too many function arguments":      {code: "function-call"},
		"Invalid expanding argument value": {code: "function-call"},

		"Invalid operand":                          {code: "type-mismatch"},
		"Invalid index":                            {code: "type-mismatch"},
		"Invalid object key":                       {code: "type-mismatch"},
		"Incorrect key type":                       {code: "type-mismatch"},
		"Incorrect condition type":                 {code: "type-mismatch"},
		"Inconsistent conditional result types":    {code: "type-mismatch"},
		"Invalid template interpolation value":     {code: "type-mismatch"},
		"Operation failed":                         {code: "evaluation"},
		"Condition is null":                        {code: "null-value"},
		"Null condition":                           {code: "null-value"},
		"Null value as key":                        {code: "null-value"},
		"Splat of null value":                      {code: "null-value"},
		"Iteration over null value":                {code: "null-value"},
		"Attempt to index null value":              {code: "null-value"},
		"Attempt to get attribute from null value": {code: "null-value"},
		"Iteration over non-iterable value":        {code: "for-expression"},
		"Invalid 'for' expression":                 {code: "for-expression"},
		"Invalid 'for' condition":                  {code: "for-expression"},
		"Nested splat expression not allowed":      {code: "for-expression"},
		"Invalid nested splat expressions":         {code: "for-expression"},
	}
}
