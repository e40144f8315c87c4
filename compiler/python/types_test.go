package python

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

const annotated = `
from typing import Annotated, NamedTuple, Optional
import pandas as pd
import numpy.typing as npt
from numpy import ndarray
from pandas import DataFrame as Frame

T = TypeVar("T")
Metrics = dict[str, float]

class Split(NamedTuple):
    """Two halves."""
    train: pd.DataFrame
    test: "pd.DataFrame" = None

    def __len__(self): return 2

@dataclasses.dataclass(frozen=True)
class Scores:
    accuracy: float
    labels: list[str] = field(default_factory=list)

class One(TypedDict):
    only: int

class MyModel: ...

def f(x) -> RESULT:
    ...
`

func TestResults(t *testing.T) {
	for result, want := range map[string]string{
		"float":                              "number",
		"int":                                "number",
		"str":                                "string",
		"'str'":                              "string",
		"None":                               "",
		"list[float]":                        "list(number)",
		"List[Optional[str]]":                "list(string)",
		"tuple[str, ...]":                    "list(string)",
		"dict[str, float]":                   "map(number)",
		"dict[str, list[bool]]":              "map(list(bool))",
		"dict[int, float]":                   "?",
		"dict":                               "?",
		"Any":                                "?",
		"T":                                  "?",
		"Metrics":                            "?",
		"float | None":                       "number",
		"int | float":                        "number",
		"int | str":                          "?",
		"Union[int, None]":                   "number",
		"np.ndarray":                         "ndarray",
		"ndarray":                            "ndarray",
		"npt.NDArray[np.float64]":            "ndarray",
		"pd.DataFrame":                       "dataframe",
		"Path":                               "file",
		"pathlib.Path":                       "file",
		"Image.Image":                        "image",
		"bytes":                              "bytes",
		"MyModel":                            "model",
		"RandomForestClassifier":             "model",
		"Callable[[int], str]":               "?",
		"tuple[np.ndarray, float]":           "ndarray, number",
		"Tuple[list[pd.DataFrame], 'float']": "list(dataframe), number",
		"tuple[MyModel, Unknown]":            "model, ?",
		`Annotated[float, "accuracy"]`:       "accuracy number",
		`tuple[Annotated[float, "a"], Annotated['pd.DataFrame', 'b']]`: "a number, b dataframe",
		"Split":       "train dataframe, test dataframe",
		"Scores":      "accuracy number, labels list(string)",
		"One":         "?",
		"list[Split]": "?",
		"lambda: 1":   "?",
		"[":           "",
		strings.Repeat("list[", 40) + "int" + strings.Repeat("]", 40): "?",
	} {
		m, err := Read([]byte(strings.ReplaceAll(annotated, "RESULT", result)))
		if err != nil {
			if want != "" {
				t.Errorf("%s: %v", result, err)
			}
			continue
		}
		f, _ := m.Function("f")
		if f == nil {
			t.Errorf("%s: no function", result)
			continue
		}
		var got []string
		for _, r := range m.Results(f) {
			text := "?"
			if r.Type != cty.NilType {
				text = types.String(r.Type)
			}
			got = append(got, strings.TrimSpace(r.Name+" "+text))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: got %s, want %s", result, strings.Join(got, ", "), want)
		}
	}
}
