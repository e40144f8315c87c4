package awstest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// ecrTarget is the start of the names of ECR's actions.
const ecrTarget = "AmazonEC2ContainerRegistry_V20150921."

// Cluster is an EKS cluster: where its API server is.
type Cluster struct {
	Endpoint string
	CA       []byte // the certificates, as PEM
}

// exists reports whether there is a bucket or a repository of this name.
func (s *Server) exists(name string) bool {
	_, bucket := s.Buckets[name]
	_, repository := s.Repositories[name]
	return bucket || repository
}

// own makes the buckets and repositories of a template that don't exist yet.
func (s *Server) own(t template) {
	for _, r := range t.Resources {
		if v, ok := r.Properties["BucketName"]; ok {
			if name := (&stack{}).value(v); s.Buckets[name] == nil {
				if s.Buckets == nil {
					s.Buckets = map[string]map[string]bool{}
				}
				s.Buckets[name] = map[string]bool{}
			}
		}
		if v, ok := r.Properties["RepositoryName"]; ok {
			if s.Repositories == nil {
				s.Repositories = map[string]int{}
			}
			s.Repositories[(&stack{}).value(v)] += 0
		}
	}
}

// ecr answers a request to ECR.
func (s *Server) ecr(w http.ResponseWriter, r *http.Request, action string) {
	var in struct {
		RepositoryName string `json:"repositoryName"`
		Force          bool   `json:"force"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.Calls = append(s.Calls, action)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	out := map[string]any{}
	images, ok := s.Repositories[in.RepositoryName]
	switch {
	case action == "DescribeRepositories" && in.RepositoryName == "":
		var all []map[string]string
		for _, name := range slices.Sorted(maps.Keys(s.Repositories)) {
			all = append(all, map[string]string{"repositoryName": name})
		}
		out["repositories"] = all
	case !ok:
		w.WriteHeader(http.StatusBadRequest)
		out["__type"], out["message"] = "RepositoryNotFoundException", "The repository with name '"+in.RepositoryName+"' does not exist"
	case action == "ListImages":
		ids := make([]map[string]string, images)
		for i := range ids {
			ids[i] = map[string]string{"imageTag": fmt.Sprint(i)}
		}
		out["imageIds"] = ids
	case action == "DeleteRepository" && (images == 0 || in.Force):
		delete(s.Repositories, in.RepositoryName)
	default:
		w.WriteHeader(http.StatusBadRequest)
		out["__type"] = "InvalidParameterException"
	}
	_ = json.NewEncoder(w).Encode(out)
}

// eks answers DescribeCluster.
func (s *Server) eks(w http.ResponseWriter, name string) {
	c, ok := s.Clusters[name]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"message": "No cluster found for name: %s."}`, name)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"cluster": map[string]any{
		"endpoint": c.Endpoint, "status": "ACTIVE", "certificateAuthority": map[string]string{"data": base64.StdEncoding.EncodeToString(c.CA)},
	}})
}

// s3 answers a request to S3: a list of objects, a deletion of objects, and the deletion of a bucket.
func (s *Server) s3(w http.ResponseWriter, r *http.Request) {
	name := strings.Trim(r.URL.Path, "/")
	objects, ok := s.Buckets[name]
	w.Header().Set("Content-Type", "application/xml")
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
	}
	switch {
	case !ok:
		refuse(http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodGet:
		fmt.Fprint(w, "<ListBucketResult>")
		for _, key := range slices.Sorted(maps.Keys(objects)) {
			fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", escape(key))
		}
		fmt.Fprint(w, "</ListBucketResult>")
	case r.Method == http.MethodPost && r.URL.Query().Has("delete"):
		var in struct {
			Object []struct{ Key string }
		}
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = xml.Unmarshal(data, &in)
		}
		if err != nil {
			refuse(http.StatusBadRequest, "MalformedXML")
			return
		}
		for _, o := range in.Object {
			delete(objects, o.Key)
		}
		fmt.Fprint(w, "<DeleteResult></DeleteResult>")
	case r.Method == http.MethodDelete && len(objects) > 0:
		refuse(http.StatusConflict, "BucketNotEmpty")
	case r.Method == http.MethodDelete:
		delete(s.Buckets, name)
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}
