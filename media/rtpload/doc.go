// SPDX-License-Identifier: MIT

// Package rtpload loads a media server with RTP and measures what comes back.
//
// A Generator is a process of its own, so that the processor time of the server
// can be told from that of the load: N sockets that each send a packet every
// 20 ms and note when packets arrive. Bare is the least that any server with a
// socket for each stream could do, to be measured beside it in the same run.
//
// It is for benchmarks and tests; no part of a running callwright uses it, and
// it sends to nobody but addresses of 127.0.0.0/8. Read generator.go first.
package rtpload
