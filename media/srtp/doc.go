// SPDX-License-Identifier: MIT

// Package srtp encrypts and authenticates RTP and RTCP packets (SRTP, RFC 3711;
// with AES-GCM, RFC 7714), and takes such packets apart again.
//
// A Sealer is for what one side sends and an Unsealer for what it sends is
// received by; both are made of that side's media.Keys. Packets are changed where
// they lie. An Unsealer lets no packet through that was made with other keys, or
// that came before.
//
// It negotiates nothing (transport/sip/sdp does) and has no sockets. The
// cryptography is pion/srtp's. Read seal.go first.
package srtp
