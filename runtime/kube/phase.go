package kube

// phase is where an attempt is in its life. Only attempt.move changes it.
type phase int

const (
	// preparing: the pod is being built. No request has been sent.
	preparing phase = iota
	// searching: the result is being read that the pod of an earlier coordinator may have left.
	searching
	// creating: a request to create the pod may be under way.
	creating
	// watching: the pod exists, and its end is awaited.
	watching
	// removing: the pod exists, this coordinator has asked for its deletion, and its end is awaited.
	removing
	// reading: the pod has ended or is out of reach, and the attempt's result is being read.
	reading
	// explaining: the pod was ended from outside, and has some time to say why.
	explaining
	// concluding: the result is being read, and the attempt ends with what is found.
	concluding
	// ended: the engine has the attempt's result.
	ended

	phases // how many there are
)

// legal lists the phases that may follow each phase:
//
//	preparing  → searching    the run was resumed, and no pod of this attempt was listed
//	           → creating     nobody can have made the pod before
//	           → watching     the pod was listed, and is adopted
//	searching  → creating     there is neither a result nor a pod
//	           → concluding   a pod has appeared meanwhile, and is deleted
//	creating   → watching     the pod was created, found or seen
//	           → removing     the pod had been seen before, and is deleted
//	watching   → removing     the engine, or a time limit, ends the attempt
//	           → reading      the pod has ended, has gone, or is out of reach
//	removing   → concluding   the pod has ended, has gone, or is out of reach
//	reading    → explaining   the pod does not yet say why it was ended
//	           → concluding   the pod is deleted while its result is read
//	explaining → removing     the pod is deleted
//	           → concluding   the pod has said more, or its time is over
//
// Every phase but the last may be followed by ended.
var legal = [phases][]phase{
	preparing:  {searching, creating, watching, ended},
	searching:  {creating, concluding, ended},
	creating:   {watching, removing, ended},
	watching:   {removing, reading, ended},
	removing:   {concluding, ended},
	reading:    {explaining, concluding, ended},
	explaining: {removing, concluding, ended},
	concluding: {ended},
}

func (p phase) String() string {
	return [phases]string{"preparing", "searching", "creating", "watching", "removing", "reading", "explaining", "concluding", "ended"}[p]
}
