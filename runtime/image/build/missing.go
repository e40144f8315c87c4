package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/wheel"
)

// Missing is a shared library that packages need, and that neither they nor the base have.
type Missing struct {
	Library  string
	Packages []string // Python packages that need it
	Debian   string   // the Debian package that usually has it; "": unknown
}

func (m Missing) String() string {
	out := fmt.Sprintf("the base lacks %s, which %s needs", m.Library, strings.Join(m.Packages, " and "))
	if m.Debian != "" {
		out += "; Debian's package " + m.Debian + " has it"
	}
	return out
}

// missing compares the libraries that wheels need with those that they and the base have.
func (b *Builder) missing(ctx context.Context, found *base.Base, wheels []fetched) ([]Missing, error) {
	has := map[string]bool{}
	for _, name := range found.Libraries {
		has[name] = true
	}
	needs := map[string][]string{}
	all := make([]wheel.Libraries, len(wheels))
	g, _ := group(ctx)
	for i, w := range wheels {
		g.Go(func() (err error) {
			all[i], err = b.libraries(w)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, w := range wheels {
		for _, name := range all[i].Has {
			has[name] = true
		}
		for _, name := range all[i].Needs {
			needs[name] = append(needs[name], w.pkg.Name)
		}
	}
	var out []Missing
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		if !has[name] && !ofNode(name) {
			out = append(out, Missing{Library: name, Packages: needs[name], Debian: debian(name)})
		}
	}
	return out, nil
}

// libraries returns the libraries of a wheel, from the cache if it has them.
func (b *Builder) libraries(w fetched) (wheel.Libraries, error) {
	var out wheel.Libraries
	if strings.HasSuffix(fileName(w.pkg.URL), "-none-any.whl") {
		return out, nil
	}
	note := filepath.Join(b.Cache, "libraries", w.pkg.SHA256+".json")
	if read(note, &out) {
		return out, nil
	}
	f, err := os.Open(w.name)
	if err != nil {
		return out, err
	}
	defer f.Close()
	opened, err := wheel.Open(f, w.size, fileName(w.pkg.URL))
	if err != nil {
		return out, err
	}
	if out, err = opened.Libraries(); err != nil {
		return out, err
	}
	return out, write(note, out)
}

// ofNode reports whether a library is that of a GPU's driver, which the node adds to a container.
func ofNode(name string) bool {
	return strings.HasPrefix(name, "libcuda.so") || strings.HasPrefix(name, "libnvidia-") || strings.HasPrefix(name, "libnvcuvid.so")
}

// debian returns the Debian package that has a library. The names of recent releases may have the suffix t64.
func debian(library string) string {
	return map[string]string{
		"libGL.so.1": "libgl1", "libEGL.so.1": "libegl1", "libGLU.so.1": "libglu1-mesa", "libOpenGL.so.0": "libopengl0",
		"libSM.so.6": "libsm6", "libICE.so.6": "libice6", "libX11.so.6": "libx11-6", "libXext.so.6": "libxext6", "libXrender.so.1": "libxrender1",
		"libxcb.so.1": "libxcb1", "libglib-2.0.so.0": "libglib2.0-0", "libgthread-2.0.so.0": "libglib2.0-0", "libgobject-2.0.so.0": "libglib2.0-0",
		"libgomp.so.1": "libgomp1", "libgfortran.so.5": "libgfortran5", "libquadmath.so.0": "libquadmath0", "libopenblas.so.0": "libopenblas0",
		"libblas.so.3": "libblas3", "liblapack.so.3": "liblapack3",
		"libstdc++.so.6": "libstdc++6", "libgcc_s.so.1": "libgcc-s1", "libatomic.so.1": "libatomic1", "libz.so.1": "zlib1g", "libbz2.so.1.0": "libbz2-1.0", "liblzma.so.5": "liblzma5",
		"libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3", "libffi.so.8": "libffi8", "libexpat.so.1": "libexpat1", "libsqlite3.so.0": "libsqlite3-0",
		"libsndfile.so.1": "libsndfile1", "libportaudio.so.2": "libportaudio2", "libpq.so.5": "libpq5", "libmariadb.so.3": "libmariadb3", "libodbc.so.2": "unixodbc",
		"libxml2.so.2": "libxml2", "libxslt.so.1": "libxslt1.1", "libgeos_c.so.1": "libgeos-c1v5", "libmagic.so.1": "libmagic1", "libusb-1.0.so.0": "libusb-1.0-0",
		"libfontconfig.so.1": "libfontconfig1", "libfreetype.so.6": "libfreetype6", "libnuma.so.1": "libnuma1", "libibverbs.so.1": "libibverbs1", "libtbb.so.12": "libtbb12",
	}[library]
}
