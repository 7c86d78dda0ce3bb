// SPDX-License-Identifier: MIT

// Package shield decides, before a packet of a stranger is read, whether its
// source has had its share. What it keeps is of one size for ever, however many
// sources there are, and a flood that names false sources fills nothing.
//
// It never looks into a packet, but for the names of programs that scan the
// internet for telephones to abuse, and knows no users or trunks: who is known
// does not come here. Read shield.go.
package shield
