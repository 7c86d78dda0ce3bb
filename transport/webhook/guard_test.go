// SPDX-License-Identifier: MIT

package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
)

func TestGuardCheck(t *testing.T) {
	t.Parallel()
	const public = kind(99)
	tests := map[string]kind{
		// public
		"8.8.8.8": public, "1.1.1.1": public, "93.184.216.34": public, "172.15.255.255": public, "172.32.0.1": public,
		"100.63.255.255": public, "100.128.0.1": public, "126.255.255.255": public, "128.0.0.1": public,
		"169.253.255.255": public, "169.255.0.1": public, "192.167.255.255": public, "192.169.0.1": public,
		"223.255.255.255": public, "198.17.255.255": public, "198.20.0.1": public, "11.0.0.1": public, "1.0.0.0": public,
		"2606:4700:4700::1111": public, "2a00:1450:4001:800::200e": public, "2001:4860:4860::8888": public,
		// loopback
		"127.0.0.1": loopback, "127.255.255.254": loopback, "::1": loopback, "::ffff:127.0.0.1": loopback,
		"64:ff9b::7f00:1": loopback, "2002:7f00:1::": loopback,
		// private
		"10.0.0.0": private, "10.255.255.255": private, "172.16.0.1": private, "172.31.255.255": private,
		"192.168.0.1": private, "192.168.255.255": private, "100.64.0.1": private, "100.127.255.255": private,
		"198.18.0.1": private, "198.19.255.255": private, "fc00::1": private, "fd12:3456::1": private,
		"fdff:ffff::1": private, "::ffff:10.0.0.1": private, "64:ff9b::a00:1": private, "64:ff9b::c0a8:101": private,
		"2002:c0a8:101::1": private, "2002:a00:1::1": private,
		// never
		"0.0.0.0": never, "0.1.2.3": never, "::": never, "::ffff:0.0.0.0": never, "64:ff9b::": never,
		"169.254.0.1": never, "169.254.169.254": never, "169.254.170.2": never, "fe80::1": never, "fe80::1%eth0": never,
		"febf::1": never, "fec0::1": never, "::ffff:169.254.169.254": never, "64:ff9b::a9fe:a9fe": never,
		"2002:a9fe:a9fe::": never, "100.100.100.200": never, "168.63.129.16": never, "192.0.0.192": never,
		"fd00:ec2::254": never, "fd20:ce::254": never, "::ffff:100.100.100.200": never,
		"224.0.0.1": never, "239.255.255.255": never, "ff02::1": never, "ff0e::1": never,
		"255.255.255.255": never, "240.0.0.1": never, "192.0.2.1": never, "198.51.100.1": never, "203.0.113.1": never,
		"192.88.99.1": never, "2001:db8::1": never, "3fff::1": never, "2001::1": never, "2001:0:4136:e378::1": never,
		"::127.0.0.1": never, "::10.0.0.1": never, "::ffff:0:127.0.0.1": never, "64:ff9b:1::7f00:1": never, "100::1": never, "5f00::1": never, "4000::1": never,
	}
	for text, want := range tests {
		addr := netip.MustParseAddr(text)
		for _, g := range []guard{{}, {private: true}, {loopback: true}, {private: true, loopback: true}} {
			err := g.check(addr)
			allowed := want == public || want == private && g.private || want == loopback && g.loopback
			if (err == nil) != allowed {
				t.Errorf("%+v.check(%s) = %v, want allowed %v", g, text, err, allowed)
				continue
			}
			var egress *EgressError
			if err != nil && (!errors.As(err, &egress) || egress.kind != want || egress.Addr != addr) {
				t.Errorf("%+v.check(%s) = %#v, want an EgressError of kind %d", g, text, err, want)
			}
		}
	}
}

func TestGuardSentences(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"10.1.2.3":        "10.1.2.3 is on a private network, where requests are not sent; to allow private networks set webhooks.allow_private: true",
		"127.0.0.1":       `127.0.0.1 is this machine itself, where requests are not sent; it is allowed only while the host of http.public_url is a loopback address (public_url: "http://127.0.0.1:8080")`,
		"169.254.169.254": "169.254.169.254 is a link-local address, where requests are not sent; give a URL whose host has a public address",
	} {
		if got := (guard{}).check(netip.MustParseAddr(addr)).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestGuardControl(t *testing.T) {
	t.Parallel()
	g := guard{loopback: true}
	for _, tt := range []struct {
		network, address string
		ok               bool
	}{
		{"tcp4", "127.0.0.1:80", true},
		{"tcp6", "[::1]:80", true},
		{"tcp6", "[fe80::1%lo]:80", false},
		{"udp4", "127.0.0.1:80", false},
		{"unix", "/run/docker.sock", false},
		{"tcp4", "localhost:80", false},
	} {
		if err := g.control(context.Background(), tt.network, tt.address, nil); (err == nil) != tt.ok {
			t.Errorf("control(%s, %s) = %v, want ok %v", tt.network, tt.address, err, tt.ok)
		}
	}
}

// TestFetchRefusesAddresses holds that the guard stands before the connection,
// however the address is written, and behind redirects.
func TestFetchRefusesAddresses(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	secret := serve(t, func(w http.ResponseWriter, r *http.Request) { connections.Add(1) })
	_, port, err := net.SplitHostPort(secret.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{AllowPrivate: true})
	defer c.Close()
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "127.1.2.3"} {
		reply := c.Fetch(t.Context(), ask("http://"+host+":"+port+"/"))
		var egress *EgressError
		if !errors.As(reply.Err, &egress) {
			t.Errorf("%s: %v, want an EgressError", host, reply.Err)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d requests reached the server", n)
	}

	front := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://10.0.0.1/latest/meta-data", http.StatusTemporaryRedirect)
	})
	reply := newClient(t).Fetch(t.Context(), ask(front.URL))
	if reply.Err == nil || !strings.Contains(reply.Err.Error(), "webhooks.allow_private: true") {
		t.Errorf("redirect to a private address: %v", reply.Err)
	}
	if len(reply.Attempts) != 2 || reply.Attempts[0].Status != 307 || reply.Attempts[1].Status != 0 {
		t.Errorf("attempts: %+v", reply.Attempts)
	}
}
