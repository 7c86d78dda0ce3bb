// SPDX-License-Identifier: MIT

package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
)

// TokenFile is the file in data_dir that keeps the admin token that was made at
// the first start.
const TokenFile = "admin-token"

// adminToken gives the token of the admin API: the configured one; none while
// the API listens on loopback, where it is open to this machine; else the one
// that was made at the first start, and is kept in data_dir.
func adminToken(c config.Config, log *slog.Logger) (string, error) {
	if c.Admin.Token != "" {
		return c.Admin.Token, nil
	}
	if listen, err := netip.ParseAddrPort(c.HTTP.Listen); err == nil && listen.Addr().IsLoopback() {
		return "", nil
	}
	path := filepath.Join(c.DataDir, TokenFile)
	kept, err := os.ReadFile(path)
	if token := strings.TrimSpace(string(kept)); err == nil && token != "" {
		return token, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the admin token: %w", err)
	}
	random := make([]byte, 16)
	rand.Read(random) // never fails: it ends the program instead
	token := hex.EncodeToString(random)
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the admin token: %w: data_dir must be a folder that can be written to", err)
	}
	log.Warn("made an admin token, because http.listen is not a loopback address; it is shown only now", "token", token, "kept in", path)
	return token, nil
}
