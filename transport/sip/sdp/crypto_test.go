// SPDX-License-Identifier: MIT

package sdp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/callwright/callwright/media"
)

// The keys of these tests: 30 bytes and 28 bytes.
const (
	key30 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
	key28 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
)

func counted(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestParseCrypto(t *testing.T) {
	t.Parallel()
	long, short := counted(30), counted(28)
	cm80 := &media.Keys{Suite: media.AES128SHA1x80, Key: long[:16], Salt: long[16:]}
	for value, want := range map[string]crypto{
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30:                            {"1", cm80},
		"  007   aes_cm_128_hmac_sha1_80   INLINE:" + key30:                    {"007", cm80},
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20":                  {"1", cm80},
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^48":                  {"1", cm80},
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|1048576":               {"1", cm80},
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " WSH=128":               {"1", cm80},
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + " wsh=64 -new=5":         {"1", cm80},
		"999999999 AES_CM_128_HMAC_SHA1_32 inline:" + key30:                    {"999999999", &media.Keys{Suite: media.AES128SHA1x32, Key: long[:16], Salt: long[16:]}},
		"3 AEAD_AES_128_GCM inline:" + key28:                                   {"3", &media.Keys{Suite: media.AES128GCM, Key: short[:16], Salt: short[16:]}},
		"3 AEAD_AES_128_GCM inline:" + strings.TrimRight(key28, "=") + "|2^31": {"3", &media.Keys{Suite: media.AES128GCM, Key: short[:16], Salt: short[16:]}},
	} {
		got, err := parseCrypto(value)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(crypto{})); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", value, err, diff)
		}
	}
}

func TestParseCryptoRefuses(t *testing.T) {
	t.Parallel()
	const line = "1 AES_CM_128_HMAC_SHA1_80 inline:" + key30
	for value, says := range map[string]string{
		"":                   "no tag, suite and key",
		"1 AEAD_AES_128_GCM": "no tag, suite and key",
		"x" + line:           "is no number",
		"-" + line:           "is no number",
		"123456789" + line:   "is no number",
		"1 AES_256_CM_HMAC_SHA1_80 inline:" + key30 + "AAAA": "AES_256_CM_HMAC_SHA1_80 is not spoken here",
		"1 F8_128_HMAC_SHA1_80 inline:" + key30:              "F8_128_HMAC_SHA1_80 is not spoken here",
		"1 AES_CM_128_HMAC_SHA1_80 mikey:" + key30:           `by "mikey" and not inline`,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" + key28:          "are not 30 bytes",
		"1 AEAD_AES_128_GCM inline:" + key30:                 "are not 28 bytes",
		"1 AES_CM_128_HMAC_SHA1_80 inline:":                  "are not 30 bytes",
		"1 AES_CM_128_HMAC_SHA1_80 inline:????" + key30[4:]:  "are not 30 bytes",
		line + "|1:4":                  "MKI",
		line + "|2^31|1:4":             "MKI",
		line + "|2^19":                 "2^20 at least",
		line + "|0":                    "2^20 at least",
		line + "|2^49":                 "2^20 at least",
		line + "|-1":                   "2^20 at least",
		line + "|":                     "2^20 at least",
		line + "|soon":                 "2^20 at least",
		line + ";inline:" + key30:      "several keys",
		line + " KDR=1":                "KDR=1",
		line + " UNENCRYPTED_SRTP":     "UNENCRYPTED_SRTP",
		line + " UNENCRYPTED_SRTCP":    "UNENCRYPTED_SRTCP",
		line + " UNAUTHENTICATED_SRTP": "UNAUTHENTICATED_SRTP",
		line + " FEC_ORDER=FEC_SRTP":   "FEC_ORDER",
		line + " WSH=63":               "WSH=63",
		line + " WSH=1000":             "WSH=1000",
		line + " NEW":                  "NEW",
	} {
		_, err := parseCrypto(value)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one with %q", value, err, says)
		}
		if err != nil && strings.Contains(err.Error(), key30[4:20]) {
			t.Errorf("%s: the error tells the key: %v", value, err)
		}
	}
}

// Whatever line comes, one that is taken can be written and read again.
func FuzzCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + key30 + "|2^20|1:4 FEC_ORDER=FEC_SRTP")
	f.Add("1 AEAD_AES_128_GCM inline:" + key28 + " WSH=64 -x")
	f.Add("9 AES_CM_128_HMAC_SHA1_32 inline:" + key30 + "|1048576")
	f.Add("")
	f.Fuzz(func(t *testing.T, value string) {
		c, err := parseCrypto(value)
		if err != nil {
			return
		}
		again, err := parseCrypto(c.String())
		if err != nil || again.tag != c.tag || !again.keys.Equal(c.keys) {
			t.Errorf("%q is written %q, which is %+v (%v)", value, c, again, err)
		}
	})
}
