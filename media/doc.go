// SPDX-License-Identifier: MIT

// Package media holds the words in which the rest of callwright talks about
// sound: streams, prompts, what to play and record, and what came of it.
//
// The types here are plain values; frames, packets and sockets stay inside
// media/plane, which carries the words out. The packages below are:
//
//	plane     shards, clock, streams: the media plane itself
//	rtp       RTP packets on the wire and the ports they use
//	rtcp      what two sides tell each other about a stream (RFC 3550 section 6)
//	srtp      packets encrypted and authenticated (RFC 3711)
//	emodel    how good a call sounds, estimated from its packets
//	codec     G.711 µ-law and A-law
//	jitter    the buffer that puts packets back in order
//	dtmf      telephone-event digits (RFC 4733)
//	tone      tones, made and measured
//	wav       RIFF WAVE files, read and written; mp3 MPEG audio, read
//	prompt    sound files made ready to be played, by resample
//	recorder  sound written to files
//	clock     sleeping until an absolute time
//	rtpload   a load of RTP, for benchmarks
//
// Package media imports nothing of ours. Read media.go first.
package media
