// SPDX-License-Identifier: MIT

package dialog

import (
	"fmt"
	"slices"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// written is a connection that keeps what is written to it, in words.
type written struct {
	sip.Connection
	lines []string
}

func (w *written) WriteMsg(m sip.Message) error {
	w.lines = append(w.lines, fmt.Sprint(m.(*sip.Response).StatusCode))
	return nil
}

// A 100 Trying that is overtaken by an answer is not sent behind it.
func TestTryingOvertaken(t *testing.T) {
	t.Parallel()
	var w written
	c := &ordered{Connection: &w}
	req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", Host: "127.0.0.1"})
	for _, status := range []int{100, 183, 100, 180, 100} {
		must(t, c.WriteMsg(sip.NewResponseFromRequest(req, status, "", nil)))
	}
	if want := []string{"100", "183", "183", "180", "180"}; !slices.Equal(w.lines, want) {
		t.Errorf("sent %v, want %v", w.lines, want)
	}
}
