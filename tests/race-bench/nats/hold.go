package main

import (
	"fmt"

	"github.com/nats-io/nats.go"
)

// holdConnections opens count connections with one idle subscription each, and keeps them.
func holdConnections(o options) error {
	conns := make([]*nats.Conn, 0, o.count)
	for n := range o.count {
		nc, err := nats.Connect(o.url, append(o.tls(), nats.NoReconnect())...)
		if err != nil {
			return err
		}
		defer nc.Close()
		if _, err := nc.Subscribe(fmt.Sprintf("bench.%d", n), func(*nats.Msg) {}); err != nil {
			return err
		}
		conns = append(conns, nc)
	}
	for _, nc := range conns {
		if err := nc.Flush(); err != nil {
			return err
		}
	}
	return hold()
}

// holdSubscriptions makes count subscriptions, of one subject each, on one connection, and keeps them.
func holdSubscriptions(o options) error {
	nc, err := connect(o)
	if err != nil {
		return err
	}
	defer nc.Close()
	// One channel for all: a callback each would start a goroutine each.
	messages := make(chan *nats.Msg, 1)
	for n := range o.count {
		if _, err := nc.ChanSubscribe(fmt.Sprintf("bench.%d", n), messages); err != nil {
			return err
		}
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	return hold()
}

func hold() error {
	if err := ready(); err != nil {
		return err
	}
	untilStopped()
	return nil
}
