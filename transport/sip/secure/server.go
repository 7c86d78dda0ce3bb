// SPDX-License-Identifier: MIT

package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"strings"
)

// Files are the PEM files of a server: its certificate, the key of that, and
// those who may sign the certificates that clients show (sip.tls).
type Files struct{ Cert, Key, ClientCA string }

// ErrNoCertificate says that there is nothing to serve TLS with.
var ErrNoCertificate = errors.New("tls:// and wss:// need a certificate: set sip.tls.cert and sip.tls.key to its PEM files")

// Server is the TLS of connections that come in.
type Server struct{ files *watched }

// NewServer reads the files for the first time. The error names the setting and
// what to change.
func NewServer(f Files, log *slog.Logger) (*Server, error) {
	if f.Cert == "" && f.Key == "" {
		return nil, ErrNoCertificate
	}
	settings := names{"sip.tls.cert", "sip.tls.key", "sip.tls.client_ca"}
	w, err := watch(log, []string{f.Cert, f.Key, f.ClientCA}, func() (*material, error) {
		m, err := load(f.Cert, f.Key, f.ClientCA, settings)
		if err != nil {
			return nil, err
		}
		m.config = &tls.Config{Certificates: []tls.Certificate{*m.own}, MinVersion: tls.VersionTLS12}
		if m.signers != nil {
			// Phones without one are let in all the same: they have passwords.
			m.config.ClientCAs, m.config.ClientAuth = m.signers, tls.VerifyClientCertIfGiven
		}
		return m, nil
	})
	if err != nil {
		return nil, err
	}
	return &Server{w}, nil
}

// Config is what the next connection is to be served with.
func (s *Server) Config() *tls.Config { return s.files.now().config }

// Names gives the names in the certificate that the other side of a connection
// showed and that was verified; none if there is none.
func Names(state tls.ConnectionState) []string {
	if len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return nil
	}
	return namesIn(state.PeerCertificates[0])
}

// namesIn gives the hosts and SIP domains that a certificate is for; its common
// name only if it has none (RFC 5922 section 7.1).
func namesIn(cert *x509.Certificate) []string {
	all := slices.Clone(cert.DNSNames)
	for _, uri := range cert.URIs {
		if domain, ok := strings.CutPrefix(uri.String(), "sip:"); ok {
			all = append(all, domain)
		}
	}
	for _, ip := range cert.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 && cert.Subject.CommonName != "" {
		all = append(all, cert.Subject.CommonName)
	}
	return all
}
