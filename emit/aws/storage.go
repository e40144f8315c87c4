package aws

// abandonedDays is after how many days S3 removes the parts of uploads that did not end.
const abandonedDays = 7

// untaggedDays is after how many days ECR removes images without a tag. pipec pushes all images with a tag, and locks and runs
// refer to those, so these are never removed.
const untaggedDays = 14

// buckets adds the bucket, unless it exists already.
func (b *builder) buckets() {
	b.bucket = b.Bucket
	if b.Bucket == "" {
		// The name is fixed, so that a bucket that `stack down` has left is used again.
		b.bucket = "${Bucket}"
		b.add("Bucket", "AWS::S3::Bucket", object{
			"BucketName": text(b.Name + "-" + account + "-" + region),
			"BucketEncryption": object{"ServerSideEncryptionConfiguration": list{
				object{"ServerSideEncryptionByDefault": object{"SSEAlgorithm": "AES256"}},
			}},
			"LifecycleConfiguration": object{"Rules": list{object{
				"Id": "abandoned-uploads", "Status": "Enabled", "AbortIncompleteMultipartUpload": object{"DaysAfterInitiation": abandonedDays},
			}}},
			"OwnershipControls": object{"Rules": list{object{"ObjectOwnership": "BucketOwnerEnforced"}}},
			"PublicAccessBlockConfiguration": object{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
			},
			"Tags": b.tags(""),
		}).retained = true
		b.add("BucketPolicy", "AWS::S3::BucketPolicy", object{
			"Bucket": ref("Bucket"),
			"PolicyDocument": policy(object{
				"Sid": "RequireTLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
				"Resource":  texts("arn:"+partition+":s3:::${Bucket}", "arn:"+partition+":s3:::${Bucket}/*"),
				"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
			}),
		}).retained = true
	}
	b.output("Bucket", "The bucket of the artifact store.", text(b.bucket))
}

// repositories adds a repository for the agent and for each image that is built.
func (b *builder) repositories() {
	for _, name := range b.Repositories() {
		b.add(logical("Repository", name[len(b.Name)+1:], ""), "AWS::ECR::Repository", object{
			"RepositoryName":             name,
			"EncryptionConfiguration":    object{"EncryptionType": "AES256"},
			"ImageScanningConfiguration": object{"ScanOnPush": true},
			"ImageTagMutability":         "MUTABLE",
			"LifecyclePolicy":            object{"LifecyclePolicyText": documentText(LifecyclePolicy())},
			"Tags":                       b.tags(""),
		}).retained = true
	}
	b.output("Registry", "The address of the registry.", text(account+".dkr.ecr."+region+"."+suffix+"/"+b.Name))
}

// LifecyclePolicy returns the rules by which ECR removes images. They keep all images with a tag.
func LifecyclePolicy() map[string]any {
	return object{"rules": list{object{
		"rulePriority": 1, "description": "Remove images without a tag. Locks and runs refer to images with one.",
		"selection": object{"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": untaggedDays},
		"action":    object{"type": "expire"},
	}}}
}
