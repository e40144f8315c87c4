package local

import (
	"sync"

	"pipec.dev/pipec/runtime/work"
)

// chores is work that nothing waits for. It is done while a process runs, or when there is nothing else to do. It is safe
// for concurrent use.
type chores struct {
	claim    *claim
	removing sync.WaitGroup

	mu   sync.Mutex
	todo []func()
	left []string // steps whose only attempt has succeeded and left little: its directory may be used again
}

// later adds work.
func (c *chores) later(do func()) {
	c.mu.Lock()
	c.todo = append(c.todo, do)
	c.mu.Unlock()
}

// recycle adds the directory of a step.
func (c *chores) recycle(step string) {
	c.mu.Lock()
	c.left = append(c.left, step)
	c.mu.Unlock()
}

// catchUp does the work that was added so far.
func (c *chores) catchUp() {
	c.mu.Lock()
	todo, left := c.todo, c.left
	c.todo, c.left = nil, nil
	c.mu.Unlock()
	for _, do := range todo {
		do()
	}
	for _, step := range left {
		if !c.claim.spares.Give(step) {
			c.removing.Go(func() { _ = work.Remove(c.claim.Attempt(step, 1)) })
		}
	}
}
