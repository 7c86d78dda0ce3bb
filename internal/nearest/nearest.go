// SPDX-License-Identifier: MIT

package nearest

import "strings"

// Of gives the known word that was probably meant: the one with the fewest
// slips, in whatever case, if they are few for its length. It is empty when none
// is near.
func Of(word string, known []string) string {
	best, fewest := "", len(word)+1
	for _, k := range known {
		n := slips(strings.ToLower(word), strings.ToLower(k))
		near := n <= (len(k)+1)/3
		if near && (n < fewest || n == fewest && k < best) {
			best, fewest = k, n
		}
	}
	return best
}

// slips counts how many letters must be put in, left out, replaced or swapped
// with their neighbour to make b of a (optimal string alignment). Names that
// differ much in length are not looked at.
func slips(a, b string) int {
	if max(len(a), len(b)) > 2*min(len(a), len(b)) {
		return max(len(a), len(b))
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
