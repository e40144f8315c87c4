package access

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestKubeconfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := writeKubeconfig(path, []byte("ca"), []entry{{"admin", "t1"}, {"nobody", "t2"}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("its mode is %v, %v: others could read tokens", info.Mode(), err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Current  string `json:"current-context"`
		Contexts []struct {
			Name    string
			Context struct{ Cluster, User string }
		}
		Users []struct {
			Name string
			User struct{ Token string }
		}
	}
	if err := json.Unmarshal(data, &config); err != nil {
		t.Fatal(err)
	}
	if config.Current != "admin" || len(config.Contexts) != 2 || config.Contexts[1].Context.User != "nobody" || config.Users[1].User.Token != "t2" {
		t.Errorf("%+v", config)
	}
}
