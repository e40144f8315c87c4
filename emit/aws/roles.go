package aws

import (
	"slices"
	"strings"

	"pipec.dev/pipec/schema/kinds"
)

// roles adds the roles of coordinators and of steps in a namespace, and binds them to the service accounts. The policies are
// those of docs/security.md.
func (b *builder) roles(namespace string) {
	coordinator, steps := logical("CoordinatorRole", namespace), logical("StepsRole", namespace)
	b.podRole(coordinator, "Coordinators of pipec in the namespace "+namespace+".", namespace, b.Accounts.Coordinators, b.coordinatorPolicy(namespace))
	b.podRole(steps, "Steps of pipec in the namespace "+namespace+".", namespace, b.Accounts.Steps, b.stepsPolicy(namespace))
	if namespace == b.Namespace || b.Namespace == "" && namespace == b.Namespaces[0] {
		b.output("CoordinatorRole", "The role of coordinators.", attribute{coordinator, "Arn"})
		b.output("StepsRole", "The role of steps.", attribute{steps, "Arn"})
	}
}

// podRole adds a role for pods with one of the service accounts.
func (b *builder) podRole(name, description, namespace string, accounts []string, rights document) {
	properties := object{"Policies": list{object{"PolicyName": "artifact-store", "PolicyDocument": rights}}}
	if b.Identity == kinds.IRSA {
		b.role(name, description, b.webIdentity(namespace, accounts), properties)
		return
	}
	trust := policy(object{
		"Effect": "Allow", "Principal": object{"Service": "pods.eks.amazonaws.com"}, "Action": plain("sts:AssumeRole", "sts:TagSession"),
		"Condition": object{"StringEquals": object{"aws:RequestTag/kubernetes-namespace": namespace}},
	})
	b.role(name, description, trust, properties)
	for _, one := range accounts {
		b.add(logical("Identity", namespace, one), "AWS::EKS::PodIdentityAssociation", object{
			"ClusterName": b.cluster, "Namespace": namespace, "ServiceAccount": one, "RoleArn": attribute{name, "Arn"}, "Tags": b.tags(""),
		})
	}
}

// maxSubjects is how many service accounts a trust policy names: it has at most 2048 characters. If there are more, it names the
// ending that their names have in common.
const maxSubjects = 12

// webIdentity returns the trust policy of a role for service accounts (IRSA).
func (b *builder) webIdentity(namespace string, accounts []string) document {
	_, issuer, _ := strings.Cut(b.OIDCProvider, ":oidc-provider/")
	subject := "system:serviceaccount:" + namespace + ":"
	subjects := list{}
	for _, one := range accounts {
		subjects = append(subjects, subject+one)
	}
	switch {
	case len(accounts) == 0:
		subjects = list{subject} // no account has this name
	case len(accounts) > maxSubjects:
		subjects = list{subject + "*" + commonEnding(accounts)}
	}
	return policy(object{
		"Effect": "Allow", "Principal": object{"Federated": b.OIDCProvider}, "Action": "sts:AssumeRoleWithWebIdentity",
		"Condition": object{"StringEquals": object{issuer + ":aud": "sts.amazonaws.com"}, "StringLike": object{issuer + ":sub": subjects}},
	})
}

// commonEnding returns the part after the last dash, if it is the same in all names.
func commonEnding(names []string) string {
	ending := names[0][strings.LastIndex(names[0], "-")+1:]
	if slices.ContainsFunc(names, func(s string) bool { return !strings.HasSuffix(s, "-"+ending) }) {
		return ""
	}
	return "-" + ending
}

// objects returns the ARNs of all objects in directories of the artifact store.
func (b *builder) objects(dirs ...string) list {
	prefix := "arn:" + partition + ":s3:::" + b.bucket + "/"
	if b.Prefix != "" {
		prefix += b.Prefix + "/"
	}
	var out []string
	for _, dir := range dirs {
		out = append(out, prefix+dir)
	}
	return texts(out...)
}

// listing allows to list the bucket: without this right, S3 answers 403 instead of 404 for an object that doesn't exist.
func (b *builder) listing() object {
	return object{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": text("arn:" + partition + ":s3:::" + b.bucket)}
}

func (b *builder) coordinatorPolicy(namespace string) document {
	return policy(object{
		"Effect": "Allow", "Action": plain("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
		"Resource": b.objects("blobs/*", "programs/*", "attempts/"+namespace+"/*", "runs/"+namespace+"/*", "runs/.write-once", "cache/"+namespace+"/*", "index/"+namespace+"/*"),
	}, b.listing())
}

func (b *builder) stepsPolicy(namespace string) document {
	own := b.objects("blobs/*", "attempts/"+namespace+"/*")
	return policy(
		object{"Effect": "Allow", "Action": plain("s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"), "Resource": own},
		object{
			"Sid": "KeepContent", "Effect": "Deny", "Action": "s3:PutObject", "Resource": b.objects("blobs/*"),
			"Condition": object{"Null": object{"s3:if-none-match": "true"}, "Bool": object{"s3:ObjectCreationOperation": "true"}},
		},
		b.listing())
}
