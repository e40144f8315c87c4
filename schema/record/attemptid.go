package record

// AttemptID identifies an attempt within its run. It can be the key of a map.
type AttemptID struct {
	Step    string // the address of the step
	Attempt int    // counted from 1
}
