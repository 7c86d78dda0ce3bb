// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	neturl "net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/callwright/callwright/cmd/callwright/internal/config"
	"github.com/callwright/callwright/cmd/callwright/internal/sample"
	"github.com/callwright/callwright/cmd/callwright/internal/server"
	"github.com/callwright/callwright/directory"
	"github.com/callwright/callwright/examples/reception"
	"github.com/callwright/callwright/store/settings"
)

// serveCommand holds the flags of serve. Each that has a key in its tag lays
// itself over that key of the configuration.
type serveCommand struct {
	Config     string   `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	App        string   `help:"Have the app at this URL answer every number; takes the place of the sample app." placeholder:"URL"`
	HTTPListen string   `name:"http-listen" help:"Address of the HTTP APIs (http.listen)." placeholder:"HOST:PORT"`
	PublicURL  string   `name:"public-url" help:"How others reach the HTTP APIs (http.public_url)." placeholder:"URL"`
	SIPListen  []string `name:"sip-listen" help:"Addresses of SIP, like udp://0.0.0.0:5060 (sip.listen)." placeholder:"URL"`
	MediaPorts string   `name:"media-ports" help:"Range of RTP ports (media.ports)." placeholder:"FROM-TO"`
	Database   string   `help:"Where records are kept, like sqlite:callwright.db (database)." placeholder:"URL"`
	DataDir    string   `name:"data-dir" help:"Folder for what is made at the first start (data_dir)." placeholder:"DIR"`
	Verbose    bool     `short:"v" help:"Log more."`
}

// Help teaches the command.
func (*serveCommand) Help() string {
	return `Without anything at all it keeps its records here, listens for SIP on port 5060 and for HTTP on 127.0.0.1:8080, and has a built-in sample app answer every number. What is configured is in a file, in environment variables (CALLWRIGHT_HTTP_LISTEN is http.listen) or in flags; flags win. The README lists all settings.

After Ctrl-C or SIGTERM no new calls are taken, and those that live may go on for half a minute (drain). A second one hangs up what is left, writes every record and ends.

Examples:

  callwright serve
  callwright serve --app http://localhost:3000
  callwright serve --config callwright.yaml
  callwright serve --sip-listen udp://127.0.0.1:5070 --http-listen 127.0.0.1:8090`
}

// overrides gives the flags that were set, by configuration key.
func (s *serveCommand) overrides() map[string]any {
	set := map[string]any{}
	for key, value := range map[string]string{
		"http.listen": s.HTTPListen, "http.public_url": s.PublicURL, "media.ports": s.MediaPorts,
		"database": s.Database, "data_dir": s.DataDir,
	} {
		if value != "" {
			set[key] = value
		}
	}
	if len(s.SIPListen) > 0 {
		set["sip.listen"] = s.SIPListen
	}
	return set
}

// Run serves until the process is told to stop.
func (s *serveCommand) Run(w *world) error {
	c, err := config.Load(s.Config, w.environment, s.overrides())
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if s.Verbose {
		level = slog.LevelDebug
	}
	log := w.logger(level)
	for _, warning := range c.Warnings {
		log.Warn(warning)
	}
	if unconfigured(c) {
		stop, err := answerAll(&c, s.App)
		if err != nil {
			return err
		}
		defer stop()
	} else if s.App != "" {
		return fmt.Errorf("--app answers every number, but %s configures numbers, apps or trunks: leave out one of the two", s.Config)
	}
	house, err := server.Start(w.ctx, c, log)
	if err != nil {
		return err
	}
	if s.App != "" && !house.Settings.Sampling() {
		return errors.Join(house.Stop(), fmt.Errorf("--app answers every number, but the admin API has configured some (they are in %s): leave the flag out, or let --database name another", c.Database))
	}
	for i, listen := range c.SIP.Listen {
		c.SIP.Listen[i] = settled(listen, house)
	}
	hint := fmt.Sprintf("callwright answers on %s; the API is on http://%s", strings.Join(c.SIP.Listen, " and "), house.API.Addr())
	switch {
	case house.Settings.Sampling():
		hint = welcome(c.SIP.Listen[0], house.API.Addr().String(), s.App)
	case unconfigured(c):
		log.Info(settings.SampleOff)
	}
	fmt.Fprintln(w.out, hint)
	<-w.ctx.Done()
	if !errors.Is(context.Cause(w.ctx), syscall.EPIPE) { // else nobody looks any more
		drain(house, c.Drain, log)
	}
	log.Info("stopping: hanging up and writing records")
	return house.Stop()
}

// drain lets the calls that live go on for a while, or until one more signal
// comes.
func drain(house *server.Server, grace time.Duration, log *slog.Logger) {
	hurry, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	limited, cancel := context.WithTimeout(hurry, grace)
	defer cancel()
	if n := house.Engine.Living(); n > 0 && grace > 0 {
		log.Info("no new calls are taken; those that live may go on, and one more signal hangs them up", "calls", n, "for", grace)
	}
	house.Drain(limited)
}

// settled gives an address of SIP with the port that the system chose, if it
// did.
func settled(listen string, house *server.Server) string {
	network, host, _ := strings.Cut(listen, "://")
	at, err := netip.ParseAddrPort(host)
	if err != nil || at.Port() != 0 {
		return listen
	}
	return network + "://" + netip.AddrPortFrom(at.Addr(), house.SIP.Addr(network).Port()).String()
}

// unconfigured says whether nobody said what to do with calls.
func unconfigured(c config.Config) bool {
	e := c.Entries()
	return len(e.All()) == 0
}

// private are the networks whose callers the sample app answers.
var private = []string{
	"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
	"::1/128", "fc00::/7", "fe80::/10",
}

// answerAll configures one app for every number: the one at a URL, or the sample
// app, which it starts. Only callers on private networks get through.
func answerAll(c *config.Config, url string) (stop func(), err error) {
	stop = func() {}
	if url != "" && !directory.IsURL(url) {
		return nil, fmt.Errorf("--app is %q: write a whole URL, like http://localhost:3000", url)
	}
	// Many softphones send no digits before they are answered.
	a := config.App{Key: "app", Dialect: "sipgate", IncomingURL: url, EarlyMedia: new(bool)}
	if url == "" {
		a.Key = "sample"
		app, err := sample.Start(reception.Config{})
		if err != nil {
			return nil, err
		}
		a.IncomingURL, stop = app.URL, app.Stop
	}
	local := config.Trunk{Name: "private networks"}
	for _, network := range private {
		local.AllowFrom = append(local.AllowFrom, netip.MustParsePrefix(network))
	}
	c.Sample = config.Objects{
		Apps: []config.App{a}, Numbers: []config.Number{{Number: "*", App: a.Key}}, Trunks: []config.Trunk{local},
	}
	return stop, nil
}

// welcome says how to make a first call, in six lines.
func welcome(sip, api, app string) string {
	answers, digits := "The built-in sample app answers every number", " --digits "+reception.PIN
	if u, err := neturl.Parse(app); app != "" && err == nil {
		answers, digits = "The app at "+u.Redacted()+" answers every number", ""
	}
	listen := netip.MustParseAddrPort(sip[strings.Index(sip, "//")+2:])
	if listen.Addr().IsUnspecified() {
		listen = netip.AddrPortFrom(reachable(), listen.Port())
	}
	server := ""
	if api != config.Default().HTTP.Listen {
		server = " --server http://" + api
	}
	return strings.Join([]string{
		answers + ", to callers on private networks only.",
		fmt.Sprintf("Call it:          callwright call sip:100@%s%s", listen, digits),
		fmt.Sprintf("                  or sip:100@%s from any SIP phone, no registration needed", listen),
		"Watch the call:   callwright tail" + server,
		"Use your own app: callwright serve --app http://localhost:3000",
		"More:             callwright serve --config callwright.yaml (README.md lists the settings)",
	}, "\n")
}

// reachable gives an address of this machine that phones may call.
func reachable() netip.Addr {
	addresses, _ := net.InterfaceAddrs() // none is as good as an error here
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			return netip.AddrFrom4([4]byte(n.IP.To4()))
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}
