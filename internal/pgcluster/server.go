// SPDX-License-Identifier: MIT

package pgcluster

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// patience is how long the server may take to start or stop: a busy machine is
// slow, and only one that hangs is given up.
const patience = 3 * time.Minute

// access lets everybody who gets at the socket in, but for one role.
const access = "local all " + Guarded + " scram-sha-256\nlocal all all trust\n"

// server is a running PostgreSQL.
type server struct {
	process *os.Process
	log     *log
	done    chan struct{} // closed when it has ended
	err     error         // how; after done
}

// command makes a command that talks to the server.
func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.Dir = c.folder
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=" + c.folder, "PGHOST=" + c.folder, "PGUSER=" + Superuser}
	return cmd
}

// create makes the folder and the data in it.
func (c *Cluster) create() (err error) {
	// Not t.TempDir: root's are closed to nobody, and their names are too long
	// for a socket.
	if c.folder, err = os.MkdirTemp("", "pgcluster"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(c.folder))
			c.folder = ""
		}
	}()
	cmd := c.command("initdb", "-D", c.data(), "-U", Superuser, "-A", "trust", "--no-sync", "-E", "UTF8")
	if err := stepDown(cmd, c.folder); err != nil {
		return err
	}
	// The kernel ends initdb with the thread that started it, which nobody else may
	// have meanwhile: the threads of the media plane end with their goroutines.
	runtime.LockOSThread()
	out, err := cmd.CombinedOutput()
	runtime.UnlockOSThread()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return os.WriteFile(filepath.Join(c.data(), "pg_hba.conf"), []byte(access), 0o600)
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }

// start starts the server and waits until it takes connections; mu is held.
func (c *Cluster) start() error {
	s := &server{log: &log{ready: make(chan struct{})}, done: make(chan struct{})}
	// fsync is for power cuts only. What is committed must survive the end of
	// the server, so synchronous_commit stays on.
	cmd := c.command("postgres", "-D", c.data(), "-k", c.folder, "-c", "listen_addresses=", "-c", "fsync=off",
		"-c", "full_page_writes=off", "-c", "shared_buffers=32MB", "-c", "max_connections=200", "-c", "logging_collector=off")
	cmd.Stderr = s.log
	cmd.WaitDelay = patience // those it started have its output until they have ended, too
	if err := stepDown(cmd, c.folder); err != nil {
		return err
	}
	started := make(chan error)
	go func() {
		// The kernel ends the server with the thread that started it.
		runtime.LockOSThread()
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			s.err = cmd.Wait()
			close(s.done)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	select {
	case <-s.log.ready:
		c.server = s
		return nil
	case <-s.done:
		return fmt.Errorf("postgres ended at once: %w\n%s", cmp.Or(s.err, os.ErrProcessDone), s.log.text())
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("postgres was not ready after %v\n%s", patience, s.log.text()), s.process.Kill())
	}
}

// stop stops the server if it runs, without waiting for its clients; mu is held.
// PostgreSQL's documentation, chapter "Shutting Down the Server", has the signals.
func (c *Cluster) stop(how syscall.Signal) error {
	s := c.server
	if s == nil {
		return nil
	}
	c.server = nil
	if err := s.process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop postgres: %w", err)
	}
	select {
	case <-s.done:
		if s.err != nil && how == syscall.SIGINT {
			return fmt.Errorf("postgres: %w\n%s", s.err, s.log.text())
		}
		return nil
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("postgres did not stop in %v\n%s", patience, s.log.text()), s.process.Kill())
	}
}

// end stops the server and removes all there was.
func (c *Cluster) end() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.folder == "" {
		return nil
	}
	return errors.Join(c.stop(syscall.SIGINT), os.RemoveAll(c.folder))
}

// log keeps what the server says and tells when it is ready.
type log struct {
	mu    sync.Mutex
	said  bytes.Buffer
	ready chan struct{}
	told  bool
}

// Write is that of io.Writer.
func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said.Write(p)
	if !l.told && bytes.Contains(l.said.Bytes(), []byte("ready to accept connections")) {
		l.told = true
		close(l.ready)
	}
	return len(p), nil
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.said.String()
}
