//go:build !linux

package handover

import (
	"errors"
	"net"
)

func steer(*net.TCPListener) error { return errors.ErrUnsupported }
