// SPDX-License-Identifier: MIT

package webhook

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"
)

// errTooLarge says that a reply is longer than its limit.
var errTooLarge = errors.New("too large")

// encodingError names a Content-Encoding that is not understood.
type encodingError struct{ name string }

func (e *encodingError) Error() string { return "unknown content encoding " + e.name }

// decode gives a reply's body without its content coding (RFC 9110 section
// 8.4), up to size bytes; then errTooLarge. What comes over the wire is limited
// to twice as much, since a compressed stream can be long and hold nothing.
func decode(resp *http.Response, size int64) (io.Reader, error) {
	coding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	if coding == "" || coding == "identity" {
		return &capped{resp.Body, size}, nil
	}
	wire := bufio.NewReader(&capped{resp.Body, 2 * size})
	begin, err := wire.Peek(2)
	if len(begin) == 0 {
		if errors.Is(err, io.EOF) {
			return wire, nil // no body, so nothing is encoded
		}
		return nil, err
	}
	var plain io.Reader
	switch coding {
	case "gzip", "x-gzip":
		plain, err = gzip.NewReader(wire)
	case "deflate":
		// The zlib format, but some servers send the bare one.
		if len(begin) == 2 && begin[0]&0x0f == 8 && (int(begin[0])<<8|int(begin[1]))%31 == 0 {
			plain, err = zlib.NewReader(wire)
		} else {
			plain, err = flate.NewReader(wire), nil
		}
	default:
		return nil, &encodingError{coding}
	}
	if err != nil {
		return nil, err
	}
	return &capped{plain, size}, nil
}

// capped reads up to left bytes; a byte more is errTooLarge.
type capped struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (c *capped) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		n, err = int(c.left), errTooLarge
	}
	c.left -= int64(n)
	return n, err
}

// isCorrupt says whether decompressing failed for what was sent.
func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) ||
		errors.Is(err, zlib.ErrHeader) || errors.Is(err, zlib.ErrChecksum) || errors.Is(err, zlib.ErrDictionary)
}
