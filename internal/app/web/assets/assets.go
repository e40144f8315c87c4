// Package assets contains the page of `pipec ui` as it was built from ui/. `make ui` builds it again.
package assets

import "embed"

//go:embed dist
var dist embed.FS

// Names are the files of the page.
func Names() []string { return []string{"app.css", "app.js", "icon.svg", "index.html"} }

// Read returns a file of the page. The caller must not change it.
func Read(name string) []byte {
	data, err := dist.ReadFile("dist/" + name)
	if err != nil {
		return nil
	}
	return data
}
