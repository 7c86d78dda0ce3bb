// SPDX-License-Identifier: MIT

package server

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/callwright/callwright/directory"
)

// warnOfEmergency says loudly of which accounts the users can call, but no
// emergency service, because there is no trunk that such a call could leave by.
func warnOfEmergency(d *directory.Directory, numbers []string, log *slog.Logger) {
	for _, account := range d.Callers() {
		if len(d.TrunksOut(account)) == 0 && len(numbers) > 0 {
			log.Error(fmt.Sprintf("EMERGENCY CALLS WILL FAIL: the users of account %q can call, but no trunk leads out to %s; "+
				"configure a trunk with an address (trunks), or see to it that everybody there has another phone for these",
				account, strings.Join(numbers, ", ")))
		}
	}
}
