package kube

// phase is the phase of an attempt. Only attempt.move changes it.
type phase int

const (
	// preparing: the pod is being built. No request has been sent.
	preparing phase = iota
	// searching: the pod of an earlier coordinator may have left a result, which is being read.
	searching
	// creating: a request to create the pod may be under way.
	creating
	// watching: the pod exists, and the coordinator waits for its end.
	watching
	// removing: the coordinator has requested the deletion of the pod, and waits for its end.
	removing
	// reading: the pod has ended or is unreachable, and the attempt's result is being read.
	reading
	// explaining: the pod was ended from outside, and the coordinator waits for its status to report why.
	explaining
	// concluding: the result is being read, and the attempt ends with it or without one.
	concluding
	// revoking: the attempt has left no result, and one is being committed for it, so that its pod can commit none.
	revoking
	// ended: the engine has the attempt's result.
	ended

	phases // the number of phases
)

// legal lists the phases that may follow each phase:
//
//	preparing  → searching    the run was resumed, and no pod of this attempt was listed
//	           → creating     no earlier coordinator can have created the pod
//	           → watching     the pod was listed, and is adopted
//	searching  → creating     there is neither a result nor a pod
//	           → watching     a pod has appeared in the meantime
//	           → removing     a pod has appeared in the meantime, and is deleted
//	creating   → watching     the pod was created or found, or the watch has reported it
//	           → removing     the watch has reported the pod before, and it is deleted
//	watching   → removing     the engine or a time limit ends the attempt
//	           → reading      the pod has ended, is gone, or is unreachable
//	removing   → concluding   the pod has ended, is gone, or is unreachable
//	reading    → explaining   the status of the pod does not report yet why it was ended
//	           → concluding   the pod is deleted while its result is read
//	explaining → removing     the pod is deleted
//	           → concluding   the status of the pod has changed, or the time is over
//
//	revoking   → removing     the pod has appeared in the meantime, or the engine ends the attempt, and the pod is deleted
//
// Each of preparing, searching, creating, reading and concluding may be followed by revoking, and every phase but the last by
// ended.
var legal = [phases][]phase{
	preparing:  {searching, creating, watching, revoking, ended},
	searching:  {creating, watching, removing, revoking, ended},
	creating:   {watching, removing, revoking, ended},
	watching:   {removing, reading, ended},
	removing:   {concluding, ended},
	reading:    {explaining, concluding, revoking, ended},
	explaining: {removing, concluding, ended},
	concluding: {revoking, ended},
	revoking:   {removing, ended},
}

func (p phase) String() string {
	return [phases]string{"preparing", "searching", "creating", "watching", "removing", "reading", "explaining", "concluding", "revoking", "ended"}[p]
}
