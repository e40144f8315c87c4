package kubernetes

import (
	"bytes"
	"compress/gzip"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// maxPart is how many bytes of a program one ConfigMap contains. The limit is 1 MiB, but `kubectl apply` stores what it
// applied in an annotation of at most 256 KiB, encoded as base64.
const maxPart = 160 << 10

// programParts is a compressed program in parts.
type programParts struct {
	digest string // of the program's JSON, not of the parts
	data   [][]byte
}

func split(p *program.Program) (*programParts, error) {
	encoded, err := p.Encode()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(encoded); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	out := &programParts{digest: program.Digest(encoded)}
	for rest := b.Bytes(); len(rest) > 0; {
		n := min(len(rest), maxPart)
		out.data, rest = append(out.data, rest[:n]), rest[n:]
	}
	return out, nil
}

// configMap returns part i of the program. It is immutable, and its name contains the program's digest, so that a
// running run keeps its program.
func (s *programParts) configMap(p *program.Program, i int) *corev1.ConfigMap {
	m := meta(p, kube.ProgramName(p.Pipeline, s.digest, i))
	m.Annotations[kube.AnnotationProgram] = s.digest
	yes := true
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: m,
		Immutable:  &yes,
		BinaryData: map[string][]byte{partName(i, len(s.data)): s.data[i]},
	}
}

// partName returns the file name of a part in kube.ProgramDir: the whole program, or numbered parts.
func partName(i, parts int) string {
	if parts == 1 {
		return kube.ProgramFile
	}
	return fmt.Sprintf("%s.%03d", kube.ProgramFile, i)
}

// volume returns a volume that combines all parts in one directory.
func (s *programParts) volume(p *program.Program) corev1.Volume {
	sources := make([]corev1.VolumeProjection, len(s.data))
	for i := range s.data {
		sources[i].ConfigMap = &corev1.ConfigMapProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: kube.ProgramName(p.Pipeline, s.digest, i)},
		}
	}
	return corev1.Volume{Name: kube.VolumeProgram, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: sources}}}
}
