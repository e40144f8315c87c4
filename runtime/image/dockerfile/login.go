package dockerfile

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"

	"github.com/google/go-containerregistry/pkg/name"
)

// from finds the images of FROM instructions and of `COPY --from`.
var from = regexp.MustCompile(`(?mi)^\s*(?:FROM\s+(?:--platform=\S+\s+)?|COPY\s+(?:--\S+\s+)*--from=)(\S+)`)

// login gives the program credentials that it would not find by itself: those of ECR, which are made for each build. Everything else
// in the user's configuration remains as it is, by links. A registry without credentials is left to the program.
func (j *job) login(ctx context.Context, target name.Reference) error {
	registries := map[string]string{target.Context().RegistryStr(): j.Ref}
	text, err := os.ReadFile(j.File)
	if err != nil {
		return err
	}
	for _, m := range from.FindAllSubmatch(text, -1) {
		if ref, err := name.ParseReference(string(m[1])); err == nil { // else an argument, or a stage
			registries[ref.Context().RegistryStr()] = string(m[1])
		}
	}
	auths := map[string]any{}
	for host, ref := range registries {
		user, password, ok, err := j.b.Credentials(ctx, ref)
		if err != nil && ref == j.Ref {
			return err
		}
		if ok && err == nil {
			auths[host] = map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}
		}
	}
	if len(auths) == 0 {
		return nil
	}
	return j.overlay(auths)
}

// overlay writes a directory that has the user's configuration of docker, with further credentials.
func (j *job) overlay(auths map[string]any) error {
	own := j.b.Getenv("DOCKER_CONFIG")
	if own == "" {
		own = filepath.Join(j.b.Getenv("HOME"), ".docker")
	}
	dir := filepath.Join(j.tmp, "docker")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(own)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	for _, e := range entries { // builders, contexts, plugins
		if e.Name() == "config.json" {
			continue
		}
		if err := os.Symlink(filepath.Join(own, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	config := read(filepath.Join(own, "config.json"))
	for _, file := range []string{filepath.Join(j.b.Getenv("XDG_RUNTIME_DIR"), "containers", "auth.json"), j.b.Getenv("REGISTRY_AUTH_FILE")} {
		add(config, "auths", object(read(file), "auths"))
		add(config, "credHelpers", object(read(file), "credHelpers"))
	}
	add(config, "auths", auths)
	helpers := map[string]any{}
	for host := range auths {
		helpers[host] = "" // else credsStore would be asked
	}
	if _, ok := config["credsStore"]; ok {
		add(config, "credHelpers", helpers)
	} else {
		for host := range auths {
			delete(object(config, "credHelpers"), host)
		}
	}
	data, err := json.Marshal(config)
	if err != nil {
		return err
	}
	j.authFile = filepath.Join(dir, "config.json")
	j.env = append(j.env, "DOCKER_CONFIG="+dir)
	return os.WriteFile(j.authFile, data, 0o600)
}

// read returns a file of JSON, or an empty object if it is not there or damaged: then the program reports that.
func read(file string) map[string]any {
	out := map[string]any{}
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &out) != nil || out == nil {
		return map[string]any{}
	}
	return out
}

func object(of map[string]any, key string) map[string]any {
	m, _ := of[key].(map[string]any)
	return m
}

func add(to map[string]any, key string, entries map[string]any) {
	if len(entries) == 0 {
		return
	}
	m := object(to, key)
	if m == nil {
		m = map[string]any{}
		to[key] = m
	}
	for k, v := range entries {
		m[k] = v
	}
}
