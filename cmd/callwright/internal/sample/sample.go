// SPDX-License-Identifier: MIT

package sample

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/callwright/callwright/examples/reception"
)

// App is the running sample app.
type App struct {
	// URL is where it is asked.
	URL    string
	server *http.Server
	served chan struct{}
}

// Start runs the app on a loopback port that the system chooses.
func Start(c reception.Config) (*App, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the sample app: %w", err)
	}
	a := &App{URL: "http://" + listener.Addr().String(), served: make(chan struct{})}
	c.BaseURL = a.URL
	a.server = &http.Server{Handler: reception.New(c), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(a.served)
		_ = a.server.Serve(listener) // ends with ErrServerClosed, by Stop
	}()
	return a, nil
}

// Stop ends the app and waits for it.
func (a *App) Stop() {
	a.server.Close()
	<-a.served
}
