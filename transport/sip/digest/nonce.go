// SPDX-License-Identifier: MIT

package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/callwright/callwright/transport/sip/shield"
)

// A nonce is, in base64url: the time it was made (8 bytes, nanoseconds), 8
// random bytes, and the first half of the HMAC-SHA-256 of both and of whose
// the source is that it was made for.
const (
	bodySize = 16
	macSize  = 16
)

// body is the part of a nonce that tells it from all others.
type body [bodySize]byte

// made is when the nonce was made, in nanoseconds since 1970.
func (b body) made() int64 { return int64(binary.BigEndian.Uint64(b[:8])) }

// mint makes and reads nonces.
type mint struct{ key [sha256.Size]byte }

func newMint() *mint {
	m := &mint{}
	rand.Read(m.key[:])
	return m
}

// sign gives the signature of a body for a source.
func (m *mint) sign(b body, source netip.Addr) []byte {
	at := shield.Customer(source).As16()
	h := hmac.New(sha256.New, m.key[:])
	h.Write(b[:])
	h.Write(at[:])
	return h.Sum(nil)[:macSize]
}

// make makes a nonce for a source.
func (m *mint) make(now time.Time, source netip.Addr) string {
	var b body
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixNano()))
	rand.Read(b[8:])
	return base64.RawURLEncoding.EncodeToString(append(b[:], m.sign(b, source)...))
}

// read gives the body of a nonce that this mint made for a source.
func (m *mint) read(nonce string, source netip.Addr) (body, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(raw) != bodySize+macSize {
		return body{}, false
	}
	b := body(raw[:bodySize])
	return b, hmac.Equal(raw[bodySize:], m.sign(b, source))
}

// onlyOnce is the count that leaves no further one.
const onlyOnce = math.MaxInt32

// memory remembers the nonces that were answered rightly, and how often. It
// holds a fixed number of them: those that it has to forget count as too old
// from then on, and so does every nonce that was made before them.
type memory struct {
	mu     sync.Mutex
	most   int
	counts map[body]int32
	order  []body // a ring of what is in counts, in order of coming
	oldest int    // index in order, once it is full
	floor  int64  // nonces made then or earlier are too old
}

func newMemory(most int) *memory { return &memory{most: most, counts: map[body]int32{}} }

// forgotten says whether a nonce is older than what is remembered.
func (m *memory) forgotten(b body) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return b.made() <= m.floor
}

// use takes note that a nonce was used for the count-th time; false says that it
// was used that often already, or may have been.
func (m *memory) use(b body, count int32) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	last, known := m.counts[b]
	switch {
	case b.made() <= m.floor, known && (count <= last || count == onlyOnce):
		return false
	case known:
	case len(m.order) < m.most:
		m.order = append(m.order, b)
	default:
		gone := m.order[m.oldest]
		delete(m.counts, gone)
		m.floor = max(m.floor, gone.made())
		m.order[m.oldest] = b
		m.oldest = (m.oldest + 1) % m.most
	}
	m.counts[b] = count
	return true
}
