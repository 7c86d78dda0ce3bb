// SPDX-License-Identifier: MIT

package webhook

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func packed(t *testing.T, make func(io.Writer) io.WriteCloser, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := make(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(w io.Writer) io.WriteCloser  { return gzip.NewWriter(w) }
func zlibbed(w io.Writer) io.WriteCloser  { return zlib.NewWriter(w) }
func deflated(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, flate.BestSpeed); return f }

func TestFetchDecodes(t *testing.T) {
	t.Parallel()
	document := []byte("<Response>" + strings.Repeat("<Play><Url>http://x/y.wav</Url></Play>", 50) + "</Response>")
	full := bytes.Repeat([]byte("x"), ReplyLimit)
	tests := []struct {
		name, encoding string
		body           []byte
		chunked        bool
		want           []byte
		wantErr        string
	}{
		{"plain", "", document, false, document, ""},
		{"identity", "identity", document, false, document, ""},
		{"chunked", "", document, true, document, ""},
		{"gzip", "gzip", packed(t, gzipped, document), false, document, ""},
		{"gzip chunked", "GZIP", packed(t, gzipped, document), true, document, ""},
		{"x-gzip", "x-gzip", packed(t, gzipped, document), false, document, ""},
		{"deflate", "deflate", packed(t, zlibbed, document), false, document, ""},
		{"bare deflate", "deflate", packed(t, deflated, document), false, document, ""},
		{"nothing, said to be gzip", "gzip", nil, false, nil, ""},
		{"no gzip", "gzip", document, false, nil, "answered with a Content-Encoding that its body does not have"},
		{"no deflate", "deflate", document, false, nil, "answered with a Content-Encoding that its body does not have"},
		{"one byte", "gzip", []byte{0x1f}, false, nil, "broke off in the middle of its answer: look into the app's own log"},
		{"half a gzip", "gzip", packed(t, gzipped, document)[:20], false, nil, "broke off in the middle of its answer: look into the app's own log"},
		{"brotli", "br", document, false, nil, `answered in the content encoding "br"; only gzip and deflate are understood`},
		{"as long as may be", "", full, false, full, ""},
		{"as long as may be, gzip", "gzip", packed(t, gzipped, full), false, full, ""},
		{"a byte more", "", append(full, 'x'), false, full, "answered more than 64 KiB, which is the limit"},
		{"a byte more, chunked", "", append(full, 'x'), true, full, "answered more than 64 KiB, which is the limit"},
		{"bomb", "gzip", packed(t, gzipped, make([]byte, 8<<20)), false, make([]byte, ReplyLimit), "answered more than 64 KiB, which is the limit"},
		{"empty members", "gzip", bytes.Repeat(packed(t, gzipped, nil), 20_000), false, nil, "answered more than 64 KiB, which is the limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.encoding != "" {
					w.Header().Set("Content-Encoding", tt.encoding)
				}
				w.Header().Set("Content-Type", "application/xml")
				for rest := tt.body; len(rest) > 0; {
					n := min(len(rest), 1000)
					if !tt.chunked {
						n = len(rest)
					}
					w.Write(rest[:n])
					rest = rest[n:]
					if tt.chunked {
						w.(http.Flusher).Flush()
					}
				}
			})
			reply := newClient(t).Fetch(t.Context(), ask(app.URL))
			got := ""
			if reply.Err != nil {
				got = strings.TrimPrefix(reply.Err.Error(), app.URL+" ")
			}
			if got != tt.wantErr {
				t.Errorf("error %q\nwant  %q", got, tt.wantErr)
			}
			// Half a document may be there beside an error.
			if tt.wantErr == "" || tt.want != nil {
				if !bytes.Equal(reply.Body, tt.want) {
					t.Errorf("%d bytes came, want %d", len(reply.Body), len(tt.want))
				}
			}
			if !bytes.Equal(reply.Attempts[0].Body, reply.Body) {
				t.Error("the attempt has another body than the reply")
			}
		})
	}
}

// TestFetchAsksForCompression holds that what a dialect says of encodings is
// left alone.
func TestFetchAsksForCompression(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	app := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Header.Get("Accept-Encoding"))
	})
	c := newClient(t)
	r := ask(app.URL)
	c.Fetch(t.Context(), r)
	r.Header.Set("Accept-Encoding", "gzip,deflate")
	c.Fetch(t.Context(), r)
	mu.Lock()
	defer mu.Unlock()
	if strings.Join(got, " | ") != "gzip, deflate | gzip,deflate" {
		t.Errorf("asked for %q", got)
	}
}
