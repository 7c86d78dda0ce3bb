// SPDX-License-Identifier: MIT

// Package emodel estimates how good a call sounds from what was counted of its
// packets: the E-model of ITU-T G.107, simplified for G.711 over a network.
//
// It measures nothing and listens to no sound: echo, noise and how loud somebody
// speaks are unknown to it. Read mos.go.
package emodel
