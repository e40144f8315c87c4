package kube

import "time"

const (
	// caughtUp is how long a successor must have looked nothing up until it has caught up. What follows from a result, such as
	// a slot in a group or the next step, is requested within that time.
	caughtUp = 200 * time.Millisecond
	// catchUpLimit limits how long a cancel waits: a store that doesn't answer does not keep a cancelled run alive.
	catchUpLimit = 5 * time.Second
)

// catchUp delays a cancel while a successor finds out what its predecessors have not written to the log: results that are
// committed, and what followed from them. The cancel would otherwise skip steps that have succeeded or run. It is owned by
// the loop.
type catchUp struct {
	d     *driver
	over  bool
	looks int // attempts whose pods and results are being looked for
	quiet *time.Timer
}

// begin begins to wait. The attempts that the log leaves open were started.
func (c *catchUp) begin() {
	c.wait()
	c.d.after(catchUpLimit, c.end)
}

// wait ends the catching up after a while, unless something is looked up then.
func (c *catchUp) wait() {
	if c.quiet != nil {
		c.quiet.Stop()
	}
	c.quiet = c.d.after(caughtUp, func() {
		if c.looks == 0 {
			c.end()
		}
	})
}

// look notes that an attempt's pod and result are being looked for.
func (c *catchUp) look() { c.looks++ }

// looked notes that they were found, or that there are none.
func (c *catchUp) looked() {
	if c.looks--; c.looks == 0 && !c.over {
		c.wait()
	}
}

// end executes a cancel that has waited.
func (c *catchUp) end() {
	if !c.over {
		c.over = true
		c.d.commands.caughtUp()
	}
}
