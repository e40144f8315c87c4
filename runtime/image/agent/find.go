package agent

import (
	"fmt"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Image is an image of the agent that can be pushed.
type Image struct {
	Index  v1.ImageIndex
	Digest string // of the index
	From   string // the source: a directory or a file
	Note   string // a note for the user; ""
}

// Find finds the agent that belongs to a pipec: beside the executable, or where make install installs it.
//
//	DIR/pipec-agent.oci                     the image, from make agent-image
//	DIR/../libexec/pipec/pipec-agent.oci    the image, installed
//	DIR/pipec-agent                         the program: Find builds an image for its architecture only
//
// If the program is newer than the image beside it, Find uses the program, because an older agent may be incompatible.
func Find(executable string) (*Image, error) {
	if real, err := filepath.EvalSymlinks(executable); err == nil {
		executable = real
	}
	dir := filepath.Dir(executable)
	places := []string{filepath.Join(dir, LayoutDir), filepath.Join(dir, "..", "libexec", "pipec", LayoutDir)}
	program := filepath.Join(dir, "pipec-agent")
	for _, place := range places {
		if there, err := exists(place); err != nil || !there {
			continue
		}
		image, err := read(place)
		if err != nil {
			return nil, fmt.Errorf("the agent's image in %s can't be read: %w; run make agent-image to build it again", place, err)
		}
		binary, err := ReadBinary(program)
		if err != nil {
			return image, nil // there is no program, or none for Linux
		}
		same, err := hasBinary(image.Index, binary)
		if err != nil {
			return nil, fmt.Errorf("the agent's image in %s can't be read: %w; run make agent-image to build it again", place, err)
		}
		if same {
			return image, nil
		}
		return ofBinary(binary, fmt.Sprintf("%s was not built from %s: an image of that binary is used, for linux/%s only; make agent-image builds one for all architectures", place, program, binary.Architecture))
	}
	if there, _ := exists(program); !there {
		return nil, fmt.Errorf("there is no image of pipec-agent beside %s: build it with make agent-image, install it with make install, or set PIPEC_AGENT_IMAGE to an image in a registry", executable)
	}
	binary, err := ReadBinary(program)
	if err != nil {
		return nil, fmt.Errorf("%w; or run make agent-image, or set PIPEC_AGENT_IMAGE to an image", err)
	}
	return ofBinary(binary, fmt.Sprintf("the agent's image is built from %s, for linux/%s only; make agent-image builds one for all architectures", program, binary.Architecture))
}

func ofBinary(b *Binary, note string) (*Image, error) {
	index, err := Build([]*Binary{b}, "", false)
	if err != nil {
		return nil, err
	}
	digest, err := index.Digest()
	if err != nil {
		return nil, err
	}
	return &Image{Index: index, Digest: digest.String(), From: b.Path, Note: note}, nil
}
