// SPDX-License-Identifier: MIT

package dialog

import "sync"

// lanes runs work in order: that of one lane strictly one after the other, that
// of different lanes at the same time. A lane exists, and costs a goroutine,
// only while there is work in it.
type lanes struct {
	mu     sync.Mutex
	idle   sync.Cond
	busy   map[string]*lane
	closed bool
}

type lane struct{ work []func() }

func newLanes() *lanes {
	l := &lanes{busy: map[string]*lane{}}
	l.idle.L = &l.mu
	return l
}

// do puts f at the end of a lane. It never blocks and never runs f itself, so
// it may be called with locks held and from inside a lane. False says that the
// lanes are closed, and f is never run.
func (l *lanes) do(id string, f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln, ok := l.busy[id]; ok {
		ln.work = append(ln.work, f)
		return true
	}
	if l.closed {
		return false
	}
	ln := &lane{work: []func(){f}}
	l.busy[id] = ln
	go l.run(id, ln)
	return true
}

func (l *lanes) run(id string, ln *lane) {
	for {
		l.mu.Lock()
		if len(ln.work) == 0 {
			delete(l.busy, id)
			if len(l.busy) == 0 {
				l.idle.Broadcast()
			}
			l.mu.Unlock()
			return
		}
		f := ln.work[0]
		ln.work = ln.work[1:]
		l.mu.Unlock()
		f()
	}
}

// close waits until all lanes are empty. What is put in afterwards is dropped.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.busy) > 0 {
		l.idle.Wait()
	}
	l.closed = true
}
