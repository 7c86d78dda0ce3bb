// SPDX-License-Identifier: MIT

package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Explain says what a failed handshake with a server means and what to change.
func Explain(err error, config *tls.Config) error {
	var (
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		invalid x509.CertificateInvalidError
		plain   tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &host):
		return fmt.Errorf("its certificate is for %s, not for %s: set tls.server_name of the trunk to the name that it is to have: %w",
			listed(namesIn(host.Certificate)), config.ServerName, err)
	case errors.As(err, &unknown):
		return fmt.Errorf("its certificate is signed by nobody who is trusted here: set tls.ca of the trunk to the PEM file of its signer: %w", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("its certificate is valid from %s to %s only: the other side must renew it, or the clock here is wrong: %w",
			invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly), err)
	case errors.As(err, &plain):
		return fmt.Errorf("it does not speak TLS on this port: correct the port or the transport of its address: %w", err)
	}
	return Refusal(fmt.Errorf("TLS handshake: %w", err))
}

// Refusal says what it means that a server has ended a connection with an alert;
// other errors it gives as they are. By TLS 1.3 a certificate of ours is refused
// only after the handshake, when something is read.
func Refusal(err error) error {
	if alert := (*net.OpError)(nil); errors.As(err, &alert) && alert.Op == "remote error" {
		return fmt.Errorf("it refused our handshake: if it wants a certificate, set tls.cert and tls.key of the trunk: %w", err)
	}
	return err
}

func listed(names []string) string {
	if len(names) == 0 {
		return "no name"
	}
	return strings.Join(names, ", ")
}
