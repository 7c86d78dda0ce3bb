// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// failure is a sentence for the customer and, for errors.Is, what was behind
// it. The cause is not printed.
type failure struct {
	sentence string
	cause    error
}

func (f *failure) Error() string { return f.sentence }
func (f *failure) Unwrap() error { return f.cause }

// handshakeError marks a failure as TLS's.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// failed makes "https://example.com/x answered nothing" of a hop and what it
// did.
func failed(h hop, did string, cause error) error {
	return &failure{sentence: shown(h.url) + " " + did, cause: cause}
}

func tooManyRedirects(h, next hop, begin *url.URL, most int) error {
	if most == 0 {
		return failed(h, "redirects to "+shown(next.url)+", and redirects are not followed: set the URL to where it leads", nil)
	}
	return failed(h, fmt.Sprintf("redirects on to %s, and no more than %d redirects are followed%s: set the URL to where it leads in the end",
		shown(next.url), most, began(h, begin)), nil)
}

func redirectLoop(h, next hop, begin *url.URL) error {
	return failed(h, "redirects in a circle, back to "+shown(next.url)+began(h, begin), nil)
}

// began says where a chain of redirects began, unless the hop is the first.
func began(h hop, begin *url.URL) string {
	if shown(begin) == shown(h.url) {
		return ""
	}
	return " (it began at " + shown(begin) + ")"
}

func badStatus(h hop, status int, l limits) error {
	wanted := fmt.Sprintf("%d is expected", l.from)
	if l.to > l.from {
		wanted = fmt.Sprintf("%d to %d are expected", l.from, l.to)
	}
	did := fmt.Sprintf("answered %d; %s", status, wanted)
	switch {
	case status == http.StatusUnauthorized && h.url.User != nil:
		did += ": user name or password in the URL is wrong"
	case status == http.StatusUnauthorized:
		did += ": put user name and password into the URL (https://user:password@host/)"
	case status == http.StatusNotFound:
		did += ": there is nothing at this path"
	case status == http.StatusMethodNotAllowed:
		did += ": it does not take " + h.method
	case l.isRedirect(status):
		did += ": it redirects without saying where to"
	}
	return failed(h, did, nil)
}

// explain makes a sentence of what went wrong in a try. Status is 0 if the
// reply had not begun.
func explain(ctx context.Context, h hop, l limits, status int, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), errTimeout) && status == 0:
		return failed(h, "did not answer within "+spell(l.timeout), context.DeadlineExceeded)
	case errors.Is(context.Cause(ctx), errTimeout):
		return failed(h, "began to answer and did not finish within "+spell(l.timeout), context.DeadlineExceeded)
	case ctx.Err() != nil:
		return failed(h, "was not asked to the end: nobody waits for the answer any more", ctx.Err())
	case status != 0:
		return failed(h, brokenReply(l, err), err)
	}
	return failed(h, noReply(h, err), err)
}

// brokenReply says what is wrong with a reply that had begun.
func brokenReply(l limits, err error) string {
	var encoding *encodingError
	switch {
	case errors.Is(err, errTooLarge):
		return "answered more than " + spellSize(l.size) + ", which is the limit"
	case errors.As(err, &encoding):
		return fmt.Sprintf("answered in the content encoding %q; only gzip and deflate are understood", encoding.name)
	case isCorrupt(err):
		return "answered with a Content-Encoding that its body does not have"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "broke off in the middle of its answer: look into the app's own log"
	}
	return fmt.Sprintf("answered something that cannot be read: %v", err)
}

// noReply says why there was no reply at all.
func noReply(h hop, err error) string {
	var egress *EgressError
	var dns *net.DNSError
	var handshake *handshakeError
	switch {
	case errors.As(err, &egress):
		return "was not asked: " + egress.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("was not found: the host name %q does not exist", h.url.Hostname())
	case errors.As(err, &dns):
		return fmt.Sprintf("was not found: DNS gives no address for %q (%s)", h.url.Hostname(), dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("refused the connection: nothing listens on port %s; is the app running?", port(h.url))
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ETIMEDOUT):
		return "cannot be reached: no way leads to its address; is it right, and is its network up?"
	case errors.As(err, &handshake):
		return noTLS(h, handshake.err)
	case isClosed(err):
		return "closed the connection without an answer: look into the app's own log"
	case strings.Contains(err.Error(), "malformed"):
		return "answered something that is not HTTP, or broke off: is the port right?"
	case strings.Contains(err.Error(), "headers exceeded"):
		return "answered with headers of more than " + spellSize(headLimit) + ", which is the limit"
	}
	return fmt.Sprintf("gave no answer: %v", err)
}

// isClosed says whether the server ended the connection. net/http tells some of
// it only in words.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		strings.Contains(err.Error(), "server closed")
}

// noTLS says why a handshake failed.
func noTLS(h hop, err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return "has a certificate that nobody known has signed (is it self-signed?): use one of a public authority, such as Let's Encrypt, and send its intermediate certificates too"
	case errors.As(err, &name):
		return fmt.Sprintf("has a certificate that is not for %q: use one that names this host", h.url.Hostname())
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "has a certificate that has expired or is not valid yet: renew it"
	case errors.As(err, &record):
		return fmt.Sprintf("does not speak TLS on port %s: does the URL mean http:// ?", port(h.url))
	case isClosed(err):
		return "closed the connection during the TLS handshake"
	}
	return fmt.Sprintf("could not agree on TLS: %v", err)
}

// spell gives "10 s".
func spell(d time.Duration) string { return fmt.Sprintf("%g s", d.Seconds()) }

// spellSize gives "64 KiB" or "10 MiB".
func spellSize(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
