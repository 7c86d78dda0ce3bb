// SPDX-License-Identifier: MIT

package secure

import (
	"cmp"
	"crypto/tls"
	"log/slog"
	"sync"
)

// Client is what our connections to a peer are secured with; the zero value has
// no certificate and trusts whom the system trusts. It can be compared:
// connections are used by those only whose Client is the same.
type Client struct {
	// Cert and Key are the PEM files of the certificate that we show.
	Cert, Key string
	// CA is the PEM file of those who may have signed the peer's.
	CA string
	// ServerName is the name that the peer's must have; empty is the host that
	// is called.
	ServerName string
}

// Clients makes TLS of Clients, and keeps what it has read.
type Clients struct {
	log  *slog.Logger
	mu   sync.Mutex
	kept map[Client]*watched
}

// NewClients makes a Clients that has read nothing yet.
func NewClients(log *slog.Logger) *Clients {
	return &Clients{log: log, kept: map[Client]*watched{}}
}

// Config is what the next connection to a host is to be made with. The error
// names the setting and what to change.
func (c *Clients) Config(client Client, host string) (*tls.Config, error) {
	files := client
	files.ServerName = ""
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.kept[files]
	if w == nil {
		var err error
		settings := names{"tls.cert of the trunk", "tls.key of the trunk", "tls.ca of the trunk"}
		w, err = watch(c.log, []string{files.Cert, files.Key, files.CA}, func() (*material, error) {
			m, err := load(files.Cert, files.Key, files.CA, settings)
			if err != nil {
				return nil, err
			}
			m.config = &tls.Config{RootCAs: m.signers, MinVersion: tls.VersionTLS12}
			if m.own != nil {
				m.config.Certificates = []tls.Certificate{*m.own}
			}
			return m, nil
		})
		if err != nil {
			return nil, err // and read again the next time
		}
		c.kept[files] = w
	}
	config := w.now().config.Clone()
	config.ServerName = cmp.Or(client.ServerName, host)
	return config, nil
}
