// SPDX-License-Identifier: MIT

package sdp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/callwright/callwright/media"
)

// crypto is an a=crypto line: one way in which its writer would encrypt (RFC 4568
// section 9.1).
type crypto struct {
	tag  string // by which the answer names the line of the offer
	keys *media.Keys
}

// shortestLife is the fewest packets that a key must be good for: at 50 packets a
// second 2^20 last for almost six hours. Nobody tells us a new key in time.
const shortestLife = 1 << 20

// longestLife is how many packets a key is good for at most (RFC 3711 section
// 9.2).
const longestLife = 1 << 48

// parseCrypto reads the value of an a=crypto line. The error says why the line
// cannot be used, never what its key is.
func parseCrypto(value string) (crypto, error) {
	fields := strings.Fields(value)
	if len(fields) < 3 {
		return crypto{}, errors.New("an a=crypto line has no tag, suite and key")
	}
	c := crypto{tag: fields[0]}
	if n := len(c.tag); n > 9 || strings.Trim(c.tag, "0123456789") != "" {
		return c, fmt.Errorf("the tag %.20q of an a=crypto line is no number", c.tag)
	}
	suite, ok := suiteOf(fields[1])
	if !ok {
		return c, fmt.Errorf("%.40s is not spoken here", fields[1])
	}
	keys, err := parseKeys(suite, fields[2])
	if err != nil {
		return c, fmt.Errorf("%s: %w", suite, err)
	}
	for _, parameter := range fields[3:] {
		if !harmless(parameter) {
			return c, fmt.Errorf("%s with %.40s is not spoken here", suite, parameter)
		}
	}
	c.keys = keys
	return c, nil
}

// suiteOf finds a suite by its name (RFC 4568 section 6.2, RFC 7714 section 14.2).
func suiteOf(name string) (media.Suite, bool) {
	for _, s := range suites {
		if strings.EqualFold(name, s.String()) {
			return s, true
		}
	}
	return 0, false
}

// parseKeys reads "inline:" with the key and the salt, how long they hold, and
// the name that they go by in packets (RFC 4568 section 6.1).
func parseKeys(suite media.Suite, value string) (*media.Keys, error) {
	method, info, _ := strings.Cut(value, ":")
	if !strings.EqualFold(method, "inline") {
		return nil, fmt.Errorf("its key comes by %.20q and not inline", method)
	}
	if strings.Contains(info, ";") {
		return nil, errors.New("it has several keys, and only one is taken")
	}
	parts := strings.Split(info, "|")
	for _, part := range parts[1:] {
		if strings.Contains(part, ":") {
			return nil, errors.New("its packets would name their key (MKI), which is not spoken here")
		}
		if life, err := parseLife(part); err != nil || life < shortestLife {
			return nil, fmt.Errorf("its key holds for %.20q packets, and must for 2^20 at least", part)
		}
	}
	// Some leave out the padding.
	material, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(parts[0], "="))
	key, salt := suite.Lengths()
	if err != nil || len(material) != key+salt {
		return nil, fmt.Errorf("its key and salt are not %d bytes in base64", key+salt)
	}
	return &media.Keys{Suite: suite, Key: material[:key:key], Salt: material[key:]}, nil
}

// parseLife reads for how many packets a key holds, as a number or a power of two.
func parseLife(value string) (uint64, error) {
	if exponent, ok := strings.CutPrefix(value, "2^"); ok {
		n, err := strconv.ParseUint(exponent, 10, 8)
		if err != nil || n > 48 {
			return 0, errors.New("no power of two up to 2^48")
		}
		return 1 << n, nil
	}
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n > longestLife {
		return 0, errors.New("no number up to 2^48")
	}
	return n, nil
}

// harmless says whether a session parameter leaves packets as they are without it
// (RFC 4568 section 6.3): a window for late packets no larger than ours, or what
// its writer allows to be ignored. The others would leave packets open to read, or
// look otherwise.
func harmless(parameter string) bool {
	if strings.HasPrefix(parameter, "-") {
		return true
	}
	window, ok := strings.CutPrefix(strings.ToUpper(parameter), "WSH=")
	n, err := strconv.ParseUint(window, 10, 16)
	return ok && err == nil && n >= 64 && n <= 128
}

// String writes the line as it stands behind "a=crypto:".
func (c crypto) String() string {
	return c.tag + " " + c.keys.Suite.String() + " inline:" +
		base64.StdEncoding.EncodeToString(append(c.keys.Key[:len(c.keys.Key):len(c.keys.Key)], c.keys.Salt...))
}
