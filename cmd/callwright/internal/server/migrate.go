// SPDX-License-Identifier: MIT

package server

import (
	"context"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/store/postgres"
	"github.com/callwright/callwright/store/sqlite"
)

// Migrate brings the tables of the database up to date, as Start does, and gives
// the version that they had, 0 for none, and have.
func Migrate(ctx context.Context, c config.Config) (from, to int64, err error) {
	if path, ok := sqliteFile(c.Database); ok {
		return sqlite.Migrate(ctx, path)
	}
	return postgres.Migrate(ctx, c.Database)
}
