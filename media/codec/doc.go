// SPDX-License-Identifier: MIT

// Package codec turns G.711 into samples and back.
//
// Everything is a look-up in tables that are filled once from the frame
// functions of zaf/g711 and are bit-exact with them. All functions work on
// slices of the caller and never allocate, so that the media plane may call
// them for each packet.
//
// It knows no packets, files or rates. It is the only package that imports
// zaf/g711. Read codec.go first.
package codec
