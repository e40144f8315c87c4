package api

import (
	"bytes"
	"errors"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// mediaType is how requests and responses are encoded.
const mediaType = "application/vnd.kubernetes.protobuf"

// codec encodes and decodes objects in protobuf.
type codec struct {
	codecs serializer.CodecFactory
	info   runtime.SerializerInfo
}

func newCodec() (codec, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &corev1.PodList{})
	scheme.AddKnownTypes(batchv1.SchemeGroupVersion, &batchv1.Job{}, &batchv1.JobList{})
	scheme.AddKnownTypes(coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{}, &coordinationv1.LeaseList{})
	for _, gv := range []schema.GroupVersion{corev1.SchemeGroupVersion, batchv1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion} {
		metav1.AddToGroupVersion(scheme, gv)
	}
	c := codec{codecs: serializer.NewCodecFactory(scheme).WithoutConversion().(serializer.WithoutConversionCodecFactory).CodecFactory}
	info, ok := runtime.SerializerInfoForMediaType(c.codecs.SupportedMediaTypes(), mediaType)
	if !ok {
		return c, errors.New("there is no serializer for " + mediaType)
	}
	c.info = info
	return c, nil
}

// kinds are the types of objects as responses name them.
func kindOf(o runtime.Object) schema.GroupVersionKind {
	switch o.(type) {
	case *batchv1.Job:
		return batchv1.SchemeGroupVersion.WithKind("Job")
	case *batchv1.JobList:
		return batchv1.SchemeGroupVersion.WithKind("JobList")
	case *coordinationv1.Lease:
		return coordinationv1.SchemeGroupVersion.WithKind("Lease")
	case *corev1.PodList:
		return corev1.SchemeGroupVersion.WithKind("PodList")
	case *metav1.Status:
		return schema.GroupVersionKind{Version: "v1", Kind: "Status"}
	}
	return corev1.SchemeGroupVersion.WithKind("Pod")
}

// object encodes an object.
func (c *codec) object(o runtime.Object) ([]byte, error) {
	o.GetObjectKind().SetGroupVersionKind(kindOf(o))
	var b bytes.Buffer
	err := c.info.Serializer.Encode(o, &b)
	return b.Bytes(), err
}

// frame encodes an event of a watch with an encoded object.
func (c *codec) frame(what string, object []byte) ([]byte, error) {
	var event, out bytes.Buffer
	if err := c.info.StreamSerializer.Serializer.Encode(&metav1.WatchEvent{Type: what, Object: runtime.RawExtension{Raw: object}}, &event); err != nil {
		return nil, err
	}
	_, err := c.info.StreamSerializer.Framer.NewFrameWriter(&out).Write(event.Bytes())
	return out.Bytes(), err
}

// decode decodes the body of a request.
func (c *codec) decode(body []byte) (runtime.Object, error) {
	o, _, err := c.codecs.UniversalDeserializer().Decode(body, nil, nil)
	return o, err
}
