// SPDX-License-Identifier: MIT

package admin

import (
	"encoding/json"
	"testing"
)

// Whatever is sent as a body, it becomes an object or a refusal, and as a patch
// of an object it leaves one that can be read again.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"id":"w0","username":"alice","password":"x"}`, `{"key":"a","headers":{"A":null,"B":"c"},"early_media":null}`,
		`{"number":7}`, `{"allow_from":["192.0.2.0/24",""]}`, `{"users":[null]}`, `{"":{}}`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var sent fields
		if json.Unmarshal(body, &sent) != nil {
			t.Skip()
		}
		for _, k := range kinds() {
			e := k.blank("default", "x")
			whole, err := sent.into(e)
			if err != nil {
				continue
			}
			merged, err := sent.over(whole)
			if err != nil {
				t.Fatalf("%s does not lie over %v: %v", body, whole, err)
			}
			if _, err := merged.into(e); err != nil {
				t.Fatalf("%s over %v is %v: %v", body, whole, merged, err)
			}
		}
	})
}
