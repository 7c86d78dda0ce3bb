// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/remote"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
)

// serverFlags say which server is meant, and who asks.
type serverFlags struct {
	Server string `help:"The server; otherwise the one of the configuration, http://127.0.0.1:8080 without one." placeholder:"URL"`
	Token  string `help:"The admin token; otherwise CALLWRIGHT_ADMIN_TOKEN, admin.token of the configuration, or what serve keeps in data_dir." placeholder:"TOKEN"`
	Config string `help:"Configuration file of the server (YAML)." type:"path" placeholder:"FILE"`
}

// client makes the client of the server that is meant.
func (s serverFlags) client(w *world) (*remote.Client, error) {
	c, err := config.Load(s.Config, w.environment, nil)
	if err != nil {
		return nil, err
	}
	token := s.Token
	if token == "" {
		token = c.Admin.Token
	}
	here := server.Loopback(s.Server)
	if s.Server == "" {
		s.Server, here = "http://"+listening(c.HTTP.Listen), true
	}
	if token == "" && here { // the token that is kept here is for the server here
		if token, err = keptToken(c.DataDir); err != nil {
			return nil, err
		}
	}
	return remote.New(s.Server, token)
}

// keptToken reads the token that serve made and kept, if it did.
func keptToken(folder string) (string, error) {
	path := filepath.Join(folder, server.TokenFile)
	kept, err := os.ReadFile(path)
	switch {
	case os.IsNotExist(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the admin token: %w: run this as the user that callwright serves as, or give --token", err)
	}
	return strings.TrimSpace(string(kept)), nil
}

// listening is where a server on this machine is reached that listens on an
// address.
func listening(listen string) string {
	at, err := netip.ParseAddrPort(listen)
	switch {
	case err != nil || !at.Addr().IsUnspecified():
		return listen
	case at.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port()).String()
	}
	return netip.AddrPortFrom(netip.IPv6Loopback(), at.Port()).String()
}
