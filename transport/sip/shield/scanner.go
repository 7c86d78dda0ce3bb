// SPDX-License-Identifier: MIT

package shield

import "bytes"

// scanners are what programs call themselves that look for telephones to abuse,
// in lower case. None of them is a telephone, and an answer would only tell them
// that somebody is here.
var scanners = [][]byte{
	[]byte("friendly-scanner"), []byte("sipvicious"), []byte("sipcli"), []byte("sip-scan"), []byte("sipscan"),
	[]byte("sundayddr"), []byte("pplsip"), []byte("vaxsipuseragent"), []byte("siparmyknife"), []byte("sivus"),
	[]byte("iwar"), []byte("smap/"), []byte("svmap"), []byte("svwar"), []byte("svcrack"), []byte("gulp"),
}

// agents are the headers in which they do: User-Agent, and Contact and From,
// where some have a user of that name.
var agents = [][]byte{[]byte("\nuser-agent:"), []byte("\nfrom:"), []byte("\nf:"), []byte("\ncontact:"), []byte("\nm:")}

// Scanner says whether a packet comes from a program that scans the internet.
func Scanner(packet []byte) bool {
	head, _, _ := bytes.Cut(packet[:min(len(packet), 4096)], []byte("\r\n\r\n"))
	head = bytes.ToLower(head)
	for _, agent := range agents {
		_, line, found := bytes.Cut(head, agent)
		if !found {
			continue
		}
		line, _, _ = bytes.Cut(line, []byte("\n"))
		for _, name := range scanners {
			if bytes.Contains(line, name) {
				return true
			}
		}
	}
	return false
}
