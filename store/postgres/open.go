// SPDX-License-Identifier: MIT

package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectLimit is how long a connection may take to be made when the URL does
// not say (connect_timeout).
const connectLimit = 5 * time.Second

// Error codes of PostgreSQL (its documentation, appendix A).
const (
	codeWrongPassword  = "28P01"
	codeNotAllowed     = "28000" // pg_hba.conf has no line for it, or the role cannot log in
	codeNoDatabase     = "3D000"
	codeNoRight        = "42501"
	codeTableThere     = "42P07"
	codeTooManyClients = "53300"
)

// place is a database to connect to.
type place struct {
	config *pgxpool.Config
	name   string // "calls at db.example.com:5432"
}

// parse reads a URL. Its error never shows the URL, which may have a password
// in it.
func parse(url string) (*place, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil || !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return nil, errors.New("open database: the database setting is no PostgreSQL URL: write postgres://USER:PASSWORD@HOST:5432/NAME, " +
			"and write special characters of the password as %XX (an @ as %40)")
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectLimit
	}
	for name, value := range map[string]string{
		"application_name": "callwright",
		// What follows is what the SQL here counts on, whatever the server's
		// settings are. A turn to write is taken before anything is read for it.
		"default_transaction_isolation": "read committed",
		"timezone":                      "UTC",
		// The server must see soon that a node is gone which had its turn to
		// write: in 25 seconds.
		"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
	} {
		if c.RuntimeParams[name] == "" {
			c.RuntimeParams[name] = value
		}
	}
	c.DialFunc = forgetful(c.DialFunc)
	address := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	if strings.HasPrefix(c.Host, "/") {
		address = c.Host // of a socket
	}
	return &place{config: config, name: c.Database + " at " + address}, nil
}

// forgetful has a connection forget, when it is closed, what it could not send.
// Else the system goes on to send it when the network is back: a transaction
// that was given up would be applied late, over newer ones.
func forgetful(dial pgconn.DialFunc) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
			if err = tcp.SetLinger(0); err != nil {
				return nil, errors.Join(err, tcp.Close())
			}
		}
		return conn, err
	}
}

// pool makes a pool of connections, which are made when they are needed.
func (p *place) pool(ctx context.Context, connections int32) (*pgxpool.Pool, error) {
	config := p.config.Copy()
	config.MaxConns = connections
	config.MinConns, config.MinIdleConns = 0, 0
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, p.explain(err)
	}
	return pool, nil
}

// explain says what an error of PostgreSQL, or of the way to it, means to the
// operator.
func (p *place) explain(err error) error {
	c := p.config.ConnConfig
	fail := func(advice string) error {
		return fmt.Errorf("open database %s: %s: %w", p.name, advice, err)
	}
	var e *pgconn.PgError
	var network *net.OpError
	var lookup *net.DNSError
	switch {
	case errors.As(err, &e):
		switch e.Code {
		case codeWrongPassword:
			return fail(fmt.Sprintf("the password of user %q is wrong; correct it in the database setting", c.User))
		case codeNotAllowed:
			return fail(fmt.Sprintf("user %q may not log in from here; let the database setting name another user, or change the server's roles or pg_hba.conf", c.User))
		case codeNoDatabase:
			return fail(fmt.Sprintf("there is no such database; make it (createdb -E UTF8 -O %s %s), or let the database setting name another", quote(c.User), quote(c.Database)))
		case codeNoRight:
			return fail(fmt.Sprintf("user %q lacks a right; run `callwright migrate` once with the URL of a user who owns the tables or may create them, and let that one run: %s", c.User, grant(c.User)))
		case codeTableThere:
			return fail("a table of that name is there already, so it belongs to another program; let the database setting name another database, or a schema of its own by ?search_path=SCHEMA")
		case codeTooManyClients:
			return fail("the server takes no more connections; raise its max_connections, or lower pool_max_conns in the database setting")
		}
	case errors.As(err, &lookup):
		return fail(fmt.Sprintf("the host %q is not known; correct it in the database setting", c.Host))
	case errors.As(err, &network) && network.Op == "dial":
		return fail("no server answers there; start PostgreSQL, or let the database setting name where it listens")
	}
	return fmt.Errorf("open database %s: %w", p.name, err)
}

// grant is the SQL by which the owner of the tables lets a user work with them.
func grant(user string) string {
	return "GRANT SELECT, INSERT, UPDATE, DELETE ON " + strings.Join(tables, ", ") + " TO " + quote(user) +
		"; GRANT SELECT ON " + versionTable + " TO " + quote(user)
}

// quote writes a name as SQL takes it.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
