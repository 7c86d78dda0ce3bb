// SPDX-License-Identifier: MIT

package srtp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	pion "github.com/pion/srtp/v3"

	"github.com/callwright/callwright/media"
)

// suites are all that there are.
var suites = []media.Suite{media.AES128SHA1x80, media.AES128SHA1x32, media.AES128GCM}

// keysOf makes keys whose bytes count up from first.
func keysOf(s media.Suite, first byte) *media.Keys {
	key, salt := s.Lengths()
	b := make([]byte, key+salt)
	for i := range b {
		b[i] = first + byte(i)
	}
	return &media.Keys{Suite: s, Key: b[:key], Salt: b[key:]}
}

func pair(t testing.TB, k *media.Keys) (*Sealer, *Unsealer) {
	t.Helper()
	s, err := NewSealer(k)
	if err != nil {
		t.Fatal(err)
	}
	u, err := NewUnsealer(k)
	if err != nil {
		t.Fatal(err)
	}
	return s, u
}

// roomy gives a copy that can be sealed.
func roomy(b []byte) []byte { return append(make([]byte, 0, len(b)+Overhead), b...) }

// sound is an RTP packet of 20 ms.
func sound(ssrc uint32, sequence uint16) []byte {
	b := make([]byte, 172, 172+Overhead)
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], sequence)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	for i := range b[12:] {
		b[12+i] = byte(i)
	}
	return b
}

// report is an RTCP receiver report without blocks.
func report(ssrc uint32) []byte {
	b := roomy([]byte{0x80, 201, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4})
	binary.BigEndian.PutUint32(b[4:], ssrc)
	return b
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Packets look as those of libsrtp do: these are the validation vectors of its
// test driver, for one RTP and one RTCP packet.
func TestVectors(t *testing.T) {
	t.Parallel()
	const (
		rtp  = "800f1234decafbadcafebabeabababababababababababababababab"
		rtcp = "81c8000bcafebabeabababababababababababababababab"
	)
	cm, gcm := "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6", "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab"
	for _, v := range []struct {
		suite          media.Suite
		key, rtp, rtcp string
	}{
		{
			media.AES128SHA1x80, cm,
			"800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
			"81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
		},
		{
			media.AES128SHA1x32, cm,
			"800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc",
			"81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
		},
		{
			media.AES128GCM, gcm,
			"800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
			"81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001",
		},
	} {
		material := unhex(t, v.key)
		s, u := pair(t, &media.Keys{Suite: v.suite, Key: material[:16], Salt: material[16:]})
		for _, p := range []struct {
			name, plain, sealed string
			seal, unseal        func([]byte) ([]byte, error)
		}{
			{"rtp", rtp, v.rtp, s.SealRTP, u.UnsealRTP},
			{"rtcp", rtcp, v.rtcp, s.SealRTCP, u.UnsealRTCP},
		} {
			sealed, err := p.seal(roomy(unhex(t, p.plain)))
			if got := hex.EncodeToString(sealed); err != nil || got != p.sealed {
				t.Errorf("%v %s: %s (%v), want %s", v.suite, p.name, got, err, p.sealed)
				continue
			}
			plain, err := p.unseal(sealed)
			if got := hex.EncodeToString(plain); err != nil || got != p.plain {
				t.Errorf("%v %s: back to %s (%v), want %s", v.suite, p.name, got, err, p.plain)
			}
		}
	}
}

// The other side may be pion's own, in both directions, also when the sequence
// numbers begin again, and what it does not take of us nobody would.
func TestAgainstPion(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		k := keysOf(suite, 7)
		p, err := profile(k)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := pion.CreateContext(k.Key, k.Salt, p)
		if err != nil {
			t.Fatal(err)
		}
		hears, err := pion.CreateContext(k.Key, k.Salt, p)
		if err != nil {
			t.Fatal(err)
		}
		s, u := pair(t, k)
		for n := 32000; n < 3*65536; n++ {
			if n%1000 > 5 && n%65536 > 3 && n%65536 < 65532 {
				continue // enough is enough
			}
			plain := sound(1, uint16(n))
			sealed, err := s.SealRTP(roomy(plain))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := hears.DecryptRTP(nil, sealed, nil); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%v: packet %d of ours is not taken: %v", suite, n, err)
			}
			sealed, err = theirs.EncryptRTP(nil, plain, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := u.UnsealRTP(sealed); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%v: packet %d of theirs is not taken: %v", suite, n, err)
			}
		}
		for range 3 {
			sealed, err := s.SealRTCP(report(5))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := hears.DecryptRTCP(nil, sealed, nil); err != nil || !bytes.Equal(got, report(5)) {
				t.Errorf("%v: report of ours is not taken: %v", suite, err)
			}
			if sealed, err = theirs.EncryptRTCP(nil, report(6), nil); err != nil {
				t.Fatal(err)
			}
			if got, err := u.UnsealRTCP(sealed); err != nil || !bytes.Equal(got, report(6)) {
				t.Errorf("%v: report of theirs is not taken: %v", suite, err)
			}
		}
	}
}

// What was changed, made with another key, cut short, came before, or is too old
// is refused, and does not keep what follows from being heard.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		s, u := pair(t, keysOf(suite, 1))
		stranger, _ := pair(t, keysOf(suite, 2))
		sealed := func(s *Sealer, n int) []byte {
			b, err := s.SealRTP(sound(9, uint16(n)))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		refused := func(what string, datagram []byte) {
			if _, err := u.UnsealRTP(datagram); !errors.Is(err, ErrRefused) {
				t.Errorf("%v: %s: error %v, want ErrRefused", suite, what, err)
			}
		}
		taken := func(what string, datagram []byte) {
			if _, err := u.UnsealRTP(slices.Clone(datagram)); err != nil {
				t.Errorf("%v: %s: %v", suite, what, err)
			}
		}
		refused("with another key", sealed(stranger, 1))
		refused("plain", sound(9, 1))
		first := sealed(s, 1)
		for _, at := range []int{1, 2, 5, 8, 20, len(first) - 1} {
			changed := slices.Clone(first)
			changed[at] ^= 1
			refused(fmt.Sprintf("byte %d changed", at), changed)
		}
		for n := range len(first) {
			refused(fmt.Sprintf("%d bytes of it", n), slices.Clone(first[:n]))
		}
		taken("the first", first)
		refused("the first again", slices.Clone(first))
		second := sealed(s, 2)
		for n := 3; n < 2+window; n++ {
			taken("what follows", sealed(s, n))
		}
		taken("late", second)
		refused("late, again", slices.Clone(second))
		refused("too old", sealed(s, 1))
	}
}

// Reports are kept from coming again as well, and may not be plain.
func TestRefusedReports(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		s, u := pair(t, keysOf(suite, 1))
		sealed, err := s.SealRTCP(report(9))
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(sealed) {
			if _, err := u.UnsealRTCP(slices.Clone(sealed[:n])); !errors.Is(err, ErrRefused) {
				t.Errorf("%v: %d bytes of it: error %v, want ErrRefused", suite, n, err)
			}
		}
		again := slices.Clone(sealed)
		if _, err := u.UnsealRTCP(sealed); err != nil {
			t.Errorf("%v: %v", suite, err)
		}
		for what, b := range map[string][]byte{"again": again, "plain": report(9)} {
			if _, err := u.UnsealRTCP(b); !errors.Is(err, ErrRefused) {
				t.Errorf("%v: %s: error %v, want ErrRefused", suite, what, err)
			}
		}
	}
}

// A source that takes another key may go on with the count of how often its
// numbers have begun again, or begin anew.
func TestSucceed(t *testing.T) {
	t.Parallel()
	for _, suite := range suites {
		for _, goesOn := range []bool{true, false} {
			s, u := pair(t, keysOf(suite, 1))
			for n := 0; n < 3*65536; n += 30000 {
				packet, err := s.SealRTP(sound(1, uint16(n)))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := u.UnsealRTP(packet); err != nil {
					t.Fatal(n, err)
				}
			}
			s, after := pair(t, keysOf(suite, 2))
			after.Succeed(u)
			stranger, _ := pair(t, keysOf(suite, 3))
			if goesOn {
				s.context.SetROC(1, 2)
			}
			for n := 60000; n < 70000; n += 500 {
				forged, err := stranger.SealRTP(sound(1, uint16(n)))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := after.UnsealRTP(forged); !errors.Is(err, ErrRefused) {
					t.Errorf("%v: forged: error %v, want ErrRefused", suite, err)
				}
				packet, err := s.SealRTP(sound(1, uint16(n)))
				if err != nil {
					t.Fatal(err)
				}
				again := slices.Clone(packet)
				if _, err := after.UnsealRTP(packet); err != nil {
					t.Fatalf("%v: goes on %v: packet %d: %v", suite, goesOn, n, err)
				}
				if _, err := after.UnsealRTP(again); !errors.Is(err, ErrRefused) {
					t.Errorf("%v: again: error %v, want ErrRefused", suite, err)
				}
			}
		}
	}
}

// A side that takes another SSRC again and again costs memory only so long.
func TestSources(t *testing.T) {
	t.Parallel()
	s, u := pair(t, keysOf(media.AES128GCM, 1))
	for n := range sources + 1 {
		packet, err := s.SealRTP(sound(uint32(n), 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.UnsealRTP(packet); (err == nil) != (n < sources) {
			t.Errorf("source %d: %v", n, err)
		}
		if packet, err = s.SealRTCP(report(uint32(n))); err != nil {
			t.Fatal(err)
		}
		if _, err := u.UnsealRTCP(packet); (err == nil) != (n < sources) {
			t.Errorf("reports of source %d: %v", n, err)
		}
	}
	packet, err := s.SealRTP(sound(0, 2))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.UnsealRTP(packet); err != nil {
		t.Errorf("a source that is known: %v", err)
	}
}

// Sealing needs room and keys that fit.
func TestMistakes(t *testing.T) {
	t.Parallel()
	s, _ := pair(t, keysOf(media.AES128SHA1x80, 1))
	short := make([]byte, 172, 172+Overhead-1)
	short[0] = 0x80
	if _, err := s.SealRTP(short); !errors.Is(err, ErrNoRoom) {
		t.Errorf("error %v, want ErrNoRoom", err)
	}
	if _, err := s.SealRTCP(short); !errors.Is(err, ErrNoRoom) {
		t.Errorf("error %v, want ErrNoRoom", err)
	}
	if _, err := s.SealRTP(make([]byte, 3, 100)); err == nil {
		t.Error("three bytes were taken for an RTP packet")
	}
	if _, err := s.SealRTCP(make([]byte, 3, 100)); err == nil {
		t.Error("three bytes were taken for an RTCP packet")
	}
	for _, k := range []*media.Keys{
		{}, {Suite: 99, Key: make([]byte, 16), Salt: make([]byte, 14)},
		{Suite: media.AES128GCM, Key: make([]byte, 16), Salt: make([]byte, 14)},
		{Suite: media.AES128SHA1x80, Key: make([]byte, 15), Salt: make([]byte, 14)},
	} {
		if _, err := NewSealer(k); err == nil {
			t.Errorf("%+v makes a Sealer", k)
		}
		if _, err := NewUnsealer(k); err == nil {
			t.Errorf("%+v makes an Unsealer", k)
		}
	}
}

// Whatever comes is refused or, if it was sealed with the key, taken.
func FuzzUnseal(f *testing.F) {
	s, err := NewSealer(keysOf(media.AES128SHA1x80, 1))
	if err != nil {
		f.Fatal(err)
	}
	packet, err := s.SealRTP(sound(1, 1))
	if err != nil {
		f.Fatal(err)
	}
	reported, err := s.SealRTCP(report(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packet)
	f.Add(reported)
	f.Add(packet[:20])
	f.Add([]byte{0x9f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		for _, suite := range suites {
			_, u := pair(t, keysOf(suite, 1))
			if out, err := u.UnsealRTP(slices.Clone(datagram)); err == nil && len(out) >= len(datagram) {
				t.Errorf("%v: %d bytes have become %d", suite, len(datagram), len(out))
			}
			if out, err := u.UnsealRTCP(slices.Clone(datagram)); err == nil && len(out) >= len(datagram) {
				t.Errorf("%v: %d bytes have become %d", suite, len(datagram), len(out))
			}
		}
	})
}
