// SPDX-License-Identifier: MIT

package sip

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/transport/sip/phone"
)

// The eleventh place of a user takes that of a phone whose connection is gone.
func TestRoomForAnotherPhone(t *testing.T) {
	t.Parallel()
	h := withUsers(t, nil)
	contacts := func() []string { return h.server.Contacts(directory.DefaultAccount, "w0") }
	var phones []*phone.Phone
	var want []string
	for i := range 10 {
		at := fmt.Sprintf("sip:alice@10.255.255.%d:5060", i)
		phones, want = append(phones, h.phoneOf("alice", "secret-a", "tcp", "<"+at+">")), append(want, at)
	}
	must(t, phones[5].Close())
	want = slices.Delete(want, 5, 6)
	for deadline := time.Now().Add(patience); len(contacts()) > 9; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the sixth is still there")
		}
	}
	h.phoneOf("alice", "secret-a", "tcp", "<sip:alice@10.255.255.99:5060>")
	if got := contacts(); !slices.Equal(got, append(want, "sip:alice@10.255.255.99:5060")) {
		t.Errorf("alice is at %q", got)
	}
}
