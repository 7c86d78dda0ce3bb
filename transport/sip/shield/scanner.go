// SPDX-License-Identifier: MIT

package shield

import (
	"bytes"
	"slices"
)

// scanners are what programs call themselves that look for telephones to abuse,
// in lower case. None of them is a telephone, and an answer would only tell them
// that somebody is here.
var scanners = [][]byte{
	[]byte("friendly-scanner"), []byte("sipvicious"), []byte("sipcli"), []byte("sip-scan"), []byte("sipscan"),
	[]byte("sundayddr"), []byte("pplsip"), []byte("vaxsipuseragent"), []byte("siparmyknife"),
	[]byte("svmap"), []byte("svwar"), []byte("svcrack"),
}

// programs are more of them, of names that people may have, too.
var programs = [][]byte{[]byte("sivus"), []byte("iwar"), []byte("smap"), []byte("gulp")}

// userAgent is the header in which they do, and parties are others: some have a
// user of that name.
var (
	userAgent = []byte("\nuser-agent:")
	parties   = [][]byte{[]byte("\nfrom:"), []byte("\nf:"), []byte("\ncontact:"), []byte("\nm:")}
)

// Scanner says whether a packet comes from a program that scans the internet.
func Scanner(packet []byte) bool {
	head, _, _ := bytes.Cut(packet[:min(len(packet), 4096)], []byte("\r\n\r\n"))
	head = bytes.ToLower(head)
	if names(head, userAgent, scanners) || names(head, userAgent, programs) {
		return true
	}
	return slices.ContainsFunc(parties, func(header []byte) bool { return names(head, header, scanners) })
}

// names says whether a header has one of some words, which are in lower case.
func names(head, header []byte, words [][]byte) bool {
	_, line, _ := bytes.Cut(head, header)
	line, _, _ = bytes.Cut(line, []byte("\n"))
	return slices.ContainsFunc(words, func(word []byte) bool { return has(line, word) })
}

// has says whether a word stands in a line by itself: "tiwari" is no "iwar", and
// a "sipclient" no "sipcli".
func has(line, word []byte) bool {
	for from := 0; ; {
		i := bytes.Index(line[from:], word)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(word)
		if (i == 0 || !isLetter(line[i-1])) && (end == len(line) || !isLetter(line[end])) {
			return true
		}
		from = end
	}
}

// isLetter takes what is beyond ASCII for a letter.
func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || c >= 0x80 }
