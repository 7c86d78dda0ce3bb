// SPDX-License-Identifier: MIT

package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// material is what files hold.
type material struct {
	// own is our certificate, nil without one.
	own *tls.Certificate
	// signers are those who may have signed the other side's; nil are those
	// that the system trusts.
	signers *x509.CertPool
	// config is what the first connection made of it.
	config *tls.Config
}

// names are the settings that the files come from, for errors.
type names struct{ cert, key, ca string }

// load reads files. Those without a name are left out, but a certificate needs
// its key.
func load(cert, key, ca string, settings names) (*material, error) {
	m := new(material)
	switch {
	case cert != "" && key == "":
		return nil, fmt.Errorf("%s is set without %s: name the PEM file of its private key", settings.cert, settings.key)
	case cert == "" && key != "":
		return nil, fmt.Errorf("%s is set without %s: name the PEM file of the certificate that it belongs to", settings.key, settings.cert)
	case cert != "":
		own, err := pair(cert, key, settings)
		if err != nil {
			return nil, err
		}
		m.own = own
	}
	if ca == "" {
		return m, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings.ca, unreadable(err))
	}
	m.signers = x509.NewCertPool()
	if !m.signers.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s has no certificate: write those of the signers there, in PEM", settings.ca, ca)
	}
	return m, nil
}

func pair(cert, key string, settings names) (*tls.Certificate, error) {
	certPEM, err := os.ReadFile(cert)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings.cert, unreadable(err))
	}
	keyPEM, err := os.ReadFile(key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", settings.key, unreadable(err))
	}
	own, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %s and %s cannot be used together: %w", settings.cert, settings.key, cert, key, err)
	}
	return &own, nil
}

// unreadable says what to do about a file that cannot be read. The error of the
// system names the file.
func unreadable(err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: write the name of a file that is there", err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: let the user that callwright runs as read it", err)
	}
	return err
}
