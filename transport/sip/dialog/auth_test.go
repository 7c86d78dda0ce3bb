// SPDX-License-Identifier: MIT

package dialog

import (
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// sign checks the credentials of a request against a challenge.
func sign(t *testing.T, req *sip.Request, header string, ch *digest.Challenge) {
	t.Helper()
	h := req.GetHeader(header)
	if h == nil {
		t.Fatalf("no %s:\n%s", header, req)
	}
	got, err := digest.ParseCredentials(h.Value())
	if err != nil {
		t.Fatal(err)
	}
	want, err := digest.Digest(ch, digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(), Username: "u", Password: "p", Cnonce: got.Cnonce, Count: got.Nc,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Response != want.Response || got.URI != req.Recipient.String() || got.Algorithm != ch.Algorithm {
		t.Errorf("credentials %s\nwant        %s", got, want)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	md5 := &digest.Challenge{Realm: "r", Nonce: "n1", QOP: []string{"auth"}, Algorithm: "MD5"}
	plain := &digest.Challenge{Realm: "r", Nonce: "n2"}
	sha := &digest.Challenge{Realm: "r", Nonce: "n3", QOP: []string{"auth"}, Algorithm: "SHA-256"}
	for _, tc := range []struct {
		name, status, asks, answers string
		offered                     []*digest.Challenge
		want                        *digest.Challenge
	}{
		{"server, MD5", "401 Unauthorized", "WWW-Authenticate", "Authorization", []*digest.Challenge{md5}, md5},
		{"proxy, without qop", "407 Proxy Authentication Required", "Proxy-Authenticate", "Proxy-Authorization", []*digest.Challenge{plain}, plain},
		{"SHA-256 before MD5", "401 Unauthorized", "WWW-Authenticate", "Authorization", []*digest.Challenge{md5, sha}, sha},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, w, d, r, inv := ring(t, Call{Username: "u", Password: "p"})
			var asks []string
			for _, ch := range tc.offered {
				asks = append(asks, tc.asks+": "+ch.String())
			}
			w.send(response(inv, tc.status, "b", asks...))
			w.expect("ACK", "INVITE")
			again := w.expect("INVITE").(*sip.Request)
			sign(t, again, tc.answers, tc.want)
			if again.CSeq().SeqNo != inv.CSeq().SeqNo+1 || again.CallID().Value() != inv.CallID().Value() ||
				again.From().Value() != inv.From().Value() || string(again.Body()) != "offer" {
				t.Errorf("second INVITE:\n%s", again)
			}
			w.send(response(inv, tc.status, "b", asks...)) // repeated: is acknowledged, not answered again
			w.again("ACK", "INVITE")
			w.send(response(again, "200 OK", "c", contact(w)))
			ack := w.expect("ACK", "INVITE").(*sip.Request)
			if ack.CSeq().SeqNo != again.CSeq().SeqNo || ack.GetHeader(tc.answers) == nil {
				t.Errorf("ACK:\n%s", ack)
			}
			r.want("answered")
			d.Hangup(0, "")
			sign(t, w.expect("BYE", "ACK").(*sip.Request), tc.answers, tc.want)
		})
	}
}

// A wrong password is tried once, a stale nonce once more, and without
// credentials nothing is tried.
func TestDigestGivesUp(t *testing.T) {
	t.Parallel()
	const asks = `WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5`
	_, w, _, r, inv := ring(t, Call{Username: "u", Password: "wrong"})
	w.send(response(inv, "401 Unauthorized", "b", asks))
	w.expect("ACK", "INVITE")
	again := w.expect("INVITE")
	w.send(response(again, "401 Unauthorized", "b", asks+", stale=true"))
	w.expect("ACK", "INVITE")
	again = w.expect("INVITE")
	w.send(response(again, "401 Unauthorized", "b", asks+", stale=true"))
	w.expect("ACK", "INVITE")
	r.want("ended 401 remote")

	_, w, _, r, inv = ring(t, Call{Username: "u", Password: "wrong"})
	w.send(response(inv, "401 Unauthorized", "b", asks))
	w.expect("ACK", "INVITE")
	again = w.expect("INVITE")
	w.send(response(again, "401 Unauthorized", "b", asks))
	w.expect("ACK", "INVITE")
	r.want("ended 401 remote")

	_, w, _, r, inv = ring(t, Call{})
	w.send(response(inv, "401 Unauthorized", "b", asks))
	w.expect("ACK", "INVITE")
	r.want("ended 401 remote")
}
