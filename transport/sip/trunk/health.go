// SPDX-License-Identifier: MIT

package trunk

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/dialog"
)

// patience is how long an answer to OPTIONS may take: by then it was sent five
// times over UDP.
const patience = 8 * time.Second

// mayMiss is how many OPTIONS in a row make a trunk one that is not there. One
// that is answered brings it back.
const mayMiss = 2

// watch asks a trunk time and again whether it is there, until ctx ends.
func (t *Trunks) watch(ctx context.Context, trunk directory.Trunk, every time.Duration) {
	for {
		err := t.alive(ctx, trunk)
		if ctx.Err() != nil {
			return
		}
		t.noticed(trunk, err)
		if !sleep(ctx, every) {
			return
		}
	}
}

// errSilent says that OPTIONS was not answered.
var errSilent = errors.New("no answer to OPTIONS")

// alive asks once. The error is why it is not there: any answer is a sign of
// life, but for those that somebody gives in its stead or that send calls
// elsewhere.
func (t *Trunks) alive(ctx context.Context, trunk directory.Trunk) error {
	peer, err := t.cfg.Peer(trunk)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	res, err := peer.Options(ctx)
	switch {
	case err != nil:
		return err
	case res.Status == 408 || res.Status == 503:
		return fmt.Errorf("%d %s to OPTIONS", res.Status, res.Phrase)
	}
	return nil
}

// noticed takes what came of one OPTIONS.
func (t *Trunks) noticed(trunk directory.Trunk, err error) {
	t.change(trunk, func(s *state) {
		was := s.down
		if s.missed++; err == nil {
			s.missed = 0
		}
		s.down = s.missed >= mayMiss || s.down && err != nil
		if s.down && err != nil {
			s.reason = err.Error()
		}
		switch {
		case s.down && !was:
			t.cfg.Log.Warn("a trunk is not there, and gets no calls while another is; check its address and whether it knows ours",
				"trunk", trunk.Name, "address", trunk.Address, "err", err)
		case was && !s.down:
			t.cfg.Log.Info("a trunk is there again", "trunk", trunk.Name)
		}
	})
}

// header gives the first value of a header of a response.
func header(res dialog.Response, name string) string {
	for _, h := range res.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// sleep waits, and says false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
