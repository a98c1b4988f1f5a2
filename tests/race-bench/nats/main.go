// Command mesh-race-nats drives a NATS server for tests/race with the settings under which nats.go is fastest.
//
// One process plays one part: `pub`, `sub`, `reply`, `request`, `connections` or `subscriptions`. Each prints JSON
// lines on stdout: {"ready":true} when what it set up is known to the server, then one line with what it measured.
// Times of different processes are compared by their Unix nanoseconds, since they share this machine's clock.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// options are the flags of every part; a part reads those it knows.
type options struct {
	url     string
	subject string
	count   int
	size    int
	window  int
	stall   time.Duration
	style   string
	ca      string
	cert    string
	key     string
}

var parts = map[string]func(options) error{
	"pub":           publish,
	"sub":           subscribe,
	"reply":         reply,
	"request":       request,
	"connections":   holdConnections,
	"subscriptions": holdSubscriptions,
	"version":       version,
}

// version tells which client library and compiler this is.
func version(options) error {
	_, err := fmt.Printf("nats.go %s, %s\n", nats.Version, runtime.Version())
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mesh-race-nats:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 2 || parts[os.Args[1]] == nil {
		return fmt.Errorf("usage: mesh-race-nats pub|sub|reply|request|connections|subscriptions [flags]")
	}
	var o options
	var gc int
	flags := flag.NewFlagSet(os.Args[1], flag.ContinueOnError)
	flags.StringVar(&o.url, "url", nats.DefaultURL, "server")
	flags.StringVar(&o.subject, "subject", "bench.race", "subject")
	flags.IntVar(&o.count, "count", 100_000, "messages, requests, connections or subscriptions")
	flags.IntVar(&o.size, "size", 128, "bytes of a body")
	flags.IntVar(&o.window, "window", 1, "requests outstanding")
	flags.DurationVar(&o.stall, "stall", 5*time.Second, "give up when nothing arrives for so long")
	flags.StringVar(&o.style, "style", "", "how to receive or to ask, to compare the client's ways of doing so")
	flags.StringVar(&o.ca, "ca", "", "use TLS, with a server whose certificate this authority signed")
	flags.StringVar(&o.cert, "cert", "", "certificate to show to the server")
	flags.StringVar(&o.key, "key", "", "the certificate's key")
	flags.IntVar(&gc, "gc", 400, "garbage collector's percentage: fewer collections than by default")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	debug.SetGCPercent(gc)
	return parts[os.Args[1]](o)
}

// connect opens one connection that is not re-established: a connection lost in a race is a failure to report.
func connect(o options) (*nats.Conn, error) {
	return nats.Connect(o.url, append(o.tls(),
		nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			fmt.Fprintln(os.Stderr, "mesh-race-nats:", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				fmt.Fprintln(os.Stderr, "mesh-race-nats: disconnected:", err)
			}
		}),
	)...)
}

// tls is what a connection needs to be TLS, with certificates on both sides; nothing without an authority.
func (o options) tls() []nats.Option {
	if o.ca == "" {
		return nil
	}
	return []nats.Option{nats.RootCAs(o.ca), nats.ClientCert(o.cert, o.key)}
}

func emit(line map[string]any) error {
	return json.NewEncoder(os.Stdout).Encode(line)
}

func ready() error {
	return emit(map[string]any{"ready": true})
}

// untilStopped waits until stdin ends or a signal asks to stop.
func untilStopped() {
	stopped := make(chan os.Signal, 1)
	signal.Notify(stopped, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	select {
	case <-stopped:
	case <-ended:
	}
}
