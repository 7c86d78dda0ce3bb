// SPDX-License-Identifier: MIT

package sipgate_test

import "testing"

func TestGET_authorization_userinfo(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.wants("GET", "/authorization/userinfo", "", 200, `{"sub":"w0","domain":"pbx.example","masterSipId":"of default","locale":"de_DE"}`)
	if _, text := b.ask(reading, "GET", "/authorization/userinfo", ""); decoded(t, text).(map[string]any)["locale"] != "en_US" {
		t.Errorf("a user without a language has %s", text)
	}
}

func TestGET_users(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.wants("GET", "/users", "", 200, `{"items":[
		{"id":"w0","firstname":"Alice Maria","lastname":"Smith","email":"alice@example.com","defaultDevice":"e0","busyOnBusy":true,"addressId":"","directDialIds":[],"timezone":"UTC","admin":false},
		{"id":"w1","firstname":"w1","lastname":"","email":"","defaultDevice":"e1","busyOnBusy":false,"addressId":"","directDialIds":[],"timezone":"UTC","admin":false},
		{"id":"w2","firstname":"w2","lastname":"","email":"","defaultDevice":"e2","busyOnBusy":false,"addressId":"","directDialIds":[],"timezone":"UTC","admin":false},
		{"id":"carol","firstname":"carol","lastname":"","email":"","defaultDevice":"carol","busyOnBusy":false,"addressId":"","directDialIds":[],"timezone":"UTC","admin":false}]}`)
}
