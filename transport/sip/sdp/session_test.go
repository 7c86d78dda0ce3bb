// SPDX-License-Identifier: MIT

package sdp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/callwright/callwright/media"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

var (
	local = netip.MustParseAddrPort("198.51.100.7:20000")
	peer  = netip.MustParseAddrPort("192.0.2.1:4000")
	six   = netip.MustParseAddrPort("[2001:db8::7]:20000")
	equal = cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})
)

// lines gives the m= and a= lines of a description, and its c= line.
func lines(body []byte) string {
	var kept []string
	for line := range strings.Lines(string(body)) {
		if strings.ContainsAny(line[:1], "cma") {
			kept = append(kept, strings.TrimRight(line, "\r\n"))
		}
	}
	return strings.Join(kept, "\n")
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	both := media.Remote{Addr: peer, Codec: media.PCMU, Send: true, Receive: true}
	withEvent := both
	withEvent.TelephoneEvent, withEvent.PacketTime = 96, 30*time.Millisecond
	const ulaw = "c=IN IP4 198.51.100.7\nm=audio 20000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=ptime:20\na=sendrecv"
	with := func(s, old, new string) string { return strings.Replace(s, old, new, 1) }
	for _, tc := range []struct {
		name, offer, answer string
		remote              media.Remote
	}{
		{"µ-law without rtpmap", head + "m=audio 4000 RTP/AVP 0\r\n", ulaw, both},
		{"last line without end", head + "m=audio 4000 RTP/AVP 0", ulaw, both},
		{"bare line feeds", strings.ReplaceAll(head+"m=audio 4000 RTP/AVP 0\r\n", "\r", ""), ulaw, both},
		{"order of the offerer",
			head + "m=audio 4000 RTP/AVP 18 8 0\r\n",
			"c=IN IP4 198.51.100.7\nm=audio 20000 RTP/AVP 8\na=rtpmap:8 PCMA/8000\na=ptime:20\na=sendrecv",
			media.Remote{Addr: peer, Codec: media.PCMA, Send: true, Receive: true}},
		{"digits with the offerer's payload type",
			head + "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:96 TELEPHONE-EVENT/8000\r\na=fmtp:96 0-16\r\na=ptime:30\r\n",
			"c=IN IP4 198.51.100.7\nm=audio 20000 RTP/AVP 0 96\na=rtpmap:0 PCMU/8000\na=rtpmap:96 telephone-event/8000\na=fmtp:96 0-15\na=ptime:20\na=sendrecv",
			withEvent},
		{"wide-band digits are not ours",
			head + "m=audio 4000 RTP/AVP 0 97\r\na=rtpmap:97 telephone-event/16000\r\n", ulaw, both},
		{"comfort noise is not asked for", // a peer that may not send it often does all the same
			head + "m=audio 4000 RTP/AVP 13 0\r\na=rtpmap:13 CN/8000\r\n", ulaw, both},
		{"c= of the stream counts",
			with(head, "c=IN IP4 192.0.2.1", "c=IN IP4 203.0.113.9") + "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n", ulaw, both},
		{"hold by sendonly", head + "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n",
			with(ulaw, "sendrecv", "recvonly"), media.Remote{Addr: peer, Receive: true}},
		{"recvonly", head + "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n",
			with(ulaw, "sendrecv", "sendonly"), media.Remote{Addr: peer, Send: true}},
		{"inactive for the session", head + "a=inactive\r\nm=audio 4000 RTP/AVP 0\r\n",
			with(ulaw, "sendrecv", "inactive"), media.Remote{Addr: peer}},
		{"direction of the stream counts", head + "a=inactive\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n", ulaw, both},
		{"hold by c=0.0.0.0", with(head, "c=IN IP4 192.0.2.1", "c=IN IP4 0.0.0.0") + "m=audio 4000 RTP/AVP 0\r\n",
			with(ulaw, "sendrecv", "recvonly"),
			media.Remote{Addr: netip.MustParseAddrPort("0.0.0.0:4000"), Receive: true}},
		{"other streams are refused in place",
			head + "m=video 4002 RTP/AVP 96 97\r\nm=audio 4004 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 0\r\nm=image 4006 udptl t38\r\nm=audio 4008 RTP/AVP 8\r\n",
			"c=IN IP4 198.51.100.7\nm=video 0 RTP/AVP 96 97\nm=audio 0 RTP/SAVP 0\n" + ulaw[len("c=IN IP4 198.51.100.7\n"):] +
				"\nm=image 0 udptl t38\nm=audio 0 RTP/AVP 8", both},
		{"a refused stream stays refused",
			head + "m=audio 0 RTP/AVP 0\r\nm=audio 4000 RTP/AVP 0\r\n",
			"c=IN IP4 198.51.100.7\nm=audio 0 RTP/AVP 0\n" + ulaw[len("c=IN IP4 198.51.100.7\n"):], both},
		{"session id beyond 64 bits", with(head, "o=- 1", "o=- 123456789012345678901234567890") + "m=audio 4000 RTP/AVP 0\r\n", ulaw, both},
		{"IPv6", with(head, "c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1") + "m=audio 4000 RTP/AVP 0\r\n",
			strings.Replace(ulaw, "IP4 198.51.100.7", "IP6 2001:db8::7", 1),
			media.Remote{Addr: netip.MustParseAddrPort("[2001:db8::1]:4000"), Send: true, Receive: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ours := local
			if tc.remote.Addr.Addr().Is6() {
				ours = six
			}
			answer, remote, err := New(ours, 1).Answer([]byte(tc.offer))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.answer, lines(answer)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.remote, remote, equal); diff != "" {
				t.Errorf("remote (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswerRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, offer, says string
		noCodec           bool
	}{
		{"nothing", "", "the body is empty", false},
		{"blank", " \r\n", "the body is empty", false},
		{"garbage", "hello\x00world", "read SDP offer", false},
		{"half an m= line", head + "m=audio 4000\r\n", "no whole m= line", false},
		{"no c= line", "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n", "no c= line", false},
		{"host name", strings.Replace(head, "c=IN IP4 192.0.2.1", "c=IN IP4 example.org", 1) + "m=audio 4000 RTP/AVP 0\r\n", `"example.org" is no IP address`, false},
		{"port beyond 65535", head + "m=audio 70000 RTP/AVP 0\r\n", "70000", false},
		{"no stream", head, "no audio stream", true},
		{"another address family", strings.Replace(head, "c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1", 1) + "m=audio 4000 RTP/AVP 0\r\n", "IPv4 and IPv6 do not reach each other", true},
		{"video only", head + "m=video 4000 RTP/AVP 96\r\n", "no audio stream", true},
		{"port 0", head + "m=audio 0 RTP/AVP 0\r\n", "port 0", true},
		{"DTLS", head + "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n", "wants UDP/TLS/RTP/SAVP", true},
		{"SRTP without a key", head + "m=audio 4000 RTP/SAVP 0\r\n", "(RTP/SAVP) cannot be decrypted: it has no a=crypto line", false},
		{"G.729 only", head + "m=audio 4000 RTP/AVP 18 101\r\na=rtpmap:101 telephone-event/8000\r\n", "none of our codecs", true},
		{"payload type 0 made something else", head + "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 opus/48000\r\n", "none of our codecs", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := New(local, 1).Answer([]byte(tc.offer))
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("error %v, want one with %q", err, tc.says)
			}
			if errors.Is(err, ErrNoCommonCodec) != tc.noCodec {
				t.Errorf("error %v, ErrNoCommonCodec: want %v", err, tc.noCodec)
			}
		})
	}
}

// With an address in each family, an offer of either is answered by its own.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		ours, other netip.AddrPort
		offer, says string
	}{
		{local, six, "c=IN IP6 2001:db8::1", "c=IN IP6 2001:db8::7"},
		{six, local, "c=IN IP4 192.0.2.1", "c=IN IP4 198.51.100.7"},
		{local, six, "c=IN IP4 192.0.2.1", "c=IN IP4 198.51.100.7"},
	} {
		s := New(tc.ours, 1)
		s.Reach(func(netip.Addr) (netip.AddrPort, error) { return tc.other, nil })
		answer, _, err := s.Answer([]byte(strings.Replace(head, "c=IN IP4 192.0.2.1", tc.offer, 1) + "m=audio 4000 RTP/AVP 0\r\n"))
		if err != nil || !strings.Contains(string(answer), tc.says+"\r\n") {
			t.Errorf("%s: %v\n%s", tc.offer, err, answer)
		}
		s.Reach(func(netip.Addr) (netip.AddrPort, error) { return netip.AddrPort{}, errors.New("no route") })
		other := strings.NewReplacer("c=IN IP4 192.0.2.1", "c=IN IP6 2001:db8::1").Replace(head)
		if strings.Contains(tc.says, "IP6") {
			other = head
		}
		if _, _, err = s.Answer([]byte(other + "m=audio 4000 RTP/AVP 0\r\n")); !errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("%s: without a route to the other family: %v", tc.offer, err)
		}
	}
}

// An offer of ours, answered by another session of ours, is what both agree on.
func TestOfferAndAccept(t *testing.T) {
	t.Parallel()
	for addr, other := range map[string]netip.AddrPort{"127.0.0.1:4000": local, "[::1]:4000": six} {
		caller, called := New(netip.MustParseAddrPort(addr), 1), New(other, 2)
		answer, remote, err := called.Answer(caller.Offer())
		if err != nil {
			t.Fatal(err)
		}
		want := media.Remote{Addr: caller.local, TelephoneEvent: telephoneEvent, Send: true, Receive: true, PacketTime: 20 * time.Millisecond, Mux: true}
		if diff := cmp.Diff(want, remote, equal); diff != "" {
			t.Errorf("%s: called side (-want +got):\n%s", addr, diff)
		}
		remote, err = caller.Accept(answer)
		if err != nil {
			t.Fatal(err)
		}
		want.Addr = called.local
		if diff := cmp.Diff(want, remote, equal); diff != "" {
			t.Errorf("%s: calling side (-want +got):\n%s", addr, diff)
		}
	}
}

// What an offer had once keeps its place in all that follow, and a payload type its
// meaning (RFC 3264 section 8).
func TestOfferKeepsPlaces(t *testing.T) {
	t.Parallel()
	s := New(local, 1)
	_, _, err := s.Answer([]byte(head + "m=video 4100 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8 101 97\r\na=rtpmap:101 opus/48000/2\r\na=rtpmap:97 telephone-event/8000\r\nm=image 4200 udptl t38\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := "c=IN IP4 198.51.100.7\nm=video 0 RTP/AVP 96\n" +
		"m=audio 20000 RTP/AVP 8 0 97\na=rtpmap:8 PCMA/8000\na=rtpmap:0 PCMU/8000\na=rtpmap:97 telephone-event/8000\na=fmtp:97 0-15\na=rtcp-mux\na=ptime:20\na=sendrecv\n" +
		"m=image 0 udptl t38"
	if diff := cmp.Diff(want, lines(s.Offer())); diff != "" {
		t.Errorf("offer (-want +got):\n%s", diff)
	}
	remote, err := s.Accept([]byte(head + "m=video 0 RTP/AVP 96\r\nm=audio 4000 RTP/AVP 8\r\nm=image 0 udptl t38\r\n"))
	if err != nil || remote.Addr != peer || remote.Codec != media.PCMA {
		t.Errorf("accepted %+v, %v", remote, err)
	}
	if _, err := s.Accept([]byte(head + "m=video 0 RTP/AVP 96\r\n")); !errors.Is(err, ErrNoCommonCodec) {
		t.Errorf("an answer without our stream: %v", err)
	}
}

func TestAcceptRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{head, head + "m=audio 0 RTP/AVP 0\r\n", head + "m=audio 4000 RTP/AVP 18\r\n"} {
		if _, err := New(local, 1).Accept([]byte(body)); !errors.Is(err, ErrNoCommonCodec) {
			t.Errorf("%q: error %v, want ErrNoCommonCodec", body, err)
		}
	}
	if _, err := New(local, 1).Accept(nil); !errors.Is(err, errEmpty) {
		t.Errorf("empty answer: error %v, want %v", err, errEmpty)
	}
}

// A session that speaks one codec offers and takes only that.
func TestOneCodec(t *testing.T) {
	t.Parallel()
	s := New(local, 1, media.PCMA)
	if body := string(s.Offer()); !strings.Contains(body, "m=audio 20000 RTP/AVP 8 101\r\n") {
		t.Errorf("offer:\n%s", body)
	}
	_, remote, err := s.Answer([]byte(head + "m=audio 4000 RTP/AVP 0 8\r\n"))
	if err != nil || remote.Codec != media.PCMA {
		t.Errorf("settled %v (%v), want PCMA", remote.Codec, err)
	}
	if _, _, err = s.Answer([]byte(head + "m=audio 4000 RTP/AVP 0\r\n")); !errors.Is(err, ErrNoCommonCodec) {
		t.Errorf("error %v, want ErrNoCommonCodec", err)
	}
}

// A peer that asks for a packet time is heard, if it makes sense.
func TestPacketTime(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]int{
		"":                                0,
		"a=ptime:10\r\n":                  10,
		"a=ptime: 60 \r\n":                60,
		"a=ptime:9\r\n":                   0,
		"a=ptime:61\r\n":                  0,
		"a=ptime:-20\r\n":                 0,
		"a=ptime:20.5\r\n":                0,
		"a=ptime\r\n":                     0,
		"a=maxptime:150\r\n":              0,
		"a=maxptime:40\r\n":               0,
		"a=maxptime:10\r\n":               10,
		"a=maxptime:20\r\na=ptime:40\r\n": 20,
		"a=ptime:20\r\na=maxptime:60\r\n": 20,
	} {
		_, remote, err := New(local, 1).Answer([]byte(head + "m=audio 4000 RTP/AVP 0\r\n" + lines))
		if err != nil || remote.PacketTime != time.Duration(want)*time.Millisecond {
			t.Errorf("%q: %v (%v), want %d ms", lines, remote.PacketTime, err, want)
		}
	}
	s := New(local, 1)
	s.SetPacketTime(40 * time.Millisecond)
	if body := string(s.Offer()); !strings.Contains(body, "a=ptime:40\r\n") {
		t.Errorf("offer:\n%s", body)
	}
}

// A session may be without telephone-event, in offers, in answers and in what it
// takes.
func TestRefuseEvents(t *testing.T) {
	t.Parallel()
	s, other := New(local, 1), New(local, 2)
	s.RefuseEvents()
	if body := string(s.Offer()); strings.Contains(body, "telephone-event") || !strings.Contains(body, "RTP/AVP 0 8\r\n") {
		t.Errorf("offer:\n%s", body)
	}
	answer, remote, err := s.Answer(other.Offer())
	if err != nil || remote.TelephoneEvent != 0 || strings.Contains(string(answer), "telephone-event") {
		t.Errorf("settled %+v (%v) by\n%s", remote, err, answer)
	}
	insists, _, err := other.Answer(other.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if remote, err = s.Accept(insists); err != nil || remote.TelephoneEvent != 0 {
		t.Errorf("settled %+v (%v)", remote, err)
	}
}

// A session that moves says so.
func TestMove(t *testing.T) {
	t.Parallel()
	s := New(local, 4)
	before := s.Offer()
	s.Move(netip.MustParseAddrPort("203.0.113.9:30000"))
	s.Prefer(media.PCMA)
	if diff := cmp.Diff("c=IN IP4 203.0.113.9\nm=audio 30000 RTP/AVP 8 0 101", strings.Join(strings.Split(lines(s.Offer()), "\n")[:2], "\n")); diff != "" {
		t.Errorf("offer (-want +got):\n%s", diff)
	}
	if strings.Contains(string(s.Offer()), strings.Split(string(before), "\r\n")[1]) {
		t.Error("another address is the same version")
	}
}

// The version goes up when the description changes and stays when it does not,
// and what was settled is offered first (RFC 3264 section 8).
func TestVersion(t *testing.T) {
	t.Parallel()
	s := New(local, 4711)
	origin := func(body []byte) string { return strings.Split(string(body), "\r\n")[1] }
	const o = "o=- 1177 "
	offer := func(formats, rest string) []byte {
		return []byte(head + "m=audio 4000 RTP/AVP " + formats + "\r\n" + rest)
	}
	for _, step := range []struct{ rest, want string }{
		{"", o + "1 IN IP4 198.51.100.7"},
		{"", o + "1 IN IP4 198.51.100.7"},
		{"a=sendonly\r\n", o + "2 IN IP4 198.51.100.7"},
		{"", o + "3 IN IP4 198.51.100.7"},
	} {
		body, _, err := s.Answer(offer("8", step.rest))
		if err != nil || origin(body) != step.want {
			t.Errorf("after %q: %q (%v), want %q", step.rest, origin(body), err, step.want)
		}
	}
	if body := string(s.Offer()); !strings.Contains(body, "m=audio 20000 RTP/AVP 8 0 101\r\n") {
		t.Errorf("the settled codec is not offered first:\n%s", body)
	}
}

// Whatever comes, an answer has as many streams as its offer and can be read.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(head + "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"))
	f.Add([]byte(head + "m=image 4006 udptl t38\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::1\r\n"))
	f.Add([]byte("v=0\no=x\nm=audio 1 RTP/AVP\n"))
	f.Add([]byte(head + "m=audio 4000 RTP/SAVPF 8\r\na=crypto:1 AEAD_AES_128_GCM inline:" + key28 + "|2^31\r\na=rtcp:4001 IN IP4 192.0.2.1\r\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, offer []byte) {
		answer, remote, err := New(local, 1).Answer(offer)
		if err != nil {
			return
		}
		if !remote.Addr.IsValid() {
			t.Errorf("settled without an address:\n%s", offer)
		}
		offered, _ := parse(offer)
		answered, err := parse(answer)
		if err != nil || len(answered) != len(offered) {
			t.Errorf("%d streams answered by %d (%v):\n%s", len(offered), len(answered), err, answer)
		}
	})
}
