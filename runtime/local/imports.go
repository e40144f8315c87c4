package local

import (
	"strings"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/schema/record"
)

// importDelay is how long imports may take until observers are notified of them.
const importDelay = time.Second

// importProgress notifies observers that a run waits for an import, if imports take long.
type importProgress struct {
	observe func(record.Event) // may be nil
	run     *record.Run

	mu    sync.Mutex // also held while observe is called: nothing else is reported meanwhile
	what  string
	since time.Time
	slow  *time.Timer
	told  bool
}

// importOptions returns how artifacts are imported on this machine.
func (m *machine) importOptions(p *importProgress) imports.Options {
	return imports.Options{Project: m.dir.Project(), Stack: m.o.Stack.ArtifactStore, Environ: m.lookupEnv, Begin: p.begin}
}

// begin notes that an import begins.
func (p *importProgress) begin(i *record.Import) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what = "the import of " + i.Name + " from " + strings.TrimPrefix(i.Source, record.FromFile)
	if p.slow == nil {
		p.since = now()
		p.slow = time.AfterFunc(importDelay, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.told = p.what != ""
			p.report()
		})
	}
	p.report()
}

// end notes that all imports have ended.
func (p *importProgress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.slow != nil {
		p.slow.Stop()
	}
	p.what = ""
	p.report()
}

func (p *importProgress) report() {
	if p.told && p.observe != nil {
		p.observe(drive.Complete(p.run, record.Event{Type: record.StepWaiting, At: p.since, Text: p.what}))
	}
}
