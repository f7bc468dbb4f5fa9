package trail

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// syslogSink sends messages of RFC 5424 whose text is a line: on a stream with octet counting
// (RFC 6587 3.4.1, RFC 5425), as datagrams one in each.
type syslogSink struct {
	network, address string // as net.Dial has them
	tls              bool
	ca               string
	host             string // of the messages

	conn   net.Conn
	gone   chan struct{} // closed when the server has ended the stream
	recent [][]byte      // the last lines that went into a stream
}

// maxRecent is how many lines are sent again on the stream after one that ended. Nobody knows
// which of them the server has read: syslog has no acknowledgement (RFC 5425 1).
const maxRecent = 200

const (
	syslogTimeout = 10 * time.Second
	// auditNotice is facility 13, log audit, and severity 5, notice (RFC 5424 6.2.1).
	auditNotice = "<109>1 "
	// maxDatagram is what UDP carries, less what stands before the line in a message.
	maxDatagram = 65_507 - 400
)

var errAddress = errors.New("the address is not valid")

// message is a line as syslog has it.
func (s *syslogSink) message(line []byte, at time.Time) []byte {
	var m []byte
	m = append(m, auditNotice...)
	m = at.UTC().AppendFormat(m, "2006-01-02T15:04:05.000Z")
	m = append(m, ' ')
	m = append(m, s.host...)
	m = append(m, " hookgate - audit - "...)
	return append(m, line...)
}

func (s *syslogSink) stream() bool {
	return s.network == "tcp" || s.network == "unix"
}

func (s *syslogSink) limit() int {
	if s.stream() {
		return 0
	}
	return maxDatagram
}

func (s *syslogSink) push(ctx context.Context, lines [][]byte, at time.Time) error {
	fresh, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if fresh {
		lines = slices.Concat(s.recent, lines)
	}
	s.conn.SetWriteDeadline(at.Add(syslogTimeout))
	var all []byte
	for _, line := range lines {
		m := s.message(line, at)
		if s.stream() {
			all = append(append(strconv.AppendInt(all, int64(len(m)), 10), ' '), m...)
			continue
		}
		if _, err := s.conn.Write(m); err != nil {
			return network(err)
		}
	}
	if len(all) > 0 {
		if _, err := s.conn.Write(all); err != nil {
			return network(err)
		}
	}
	if s.stream() {
		if !fresh {
			lines = slices.Concat(s.recent, lines)
		}
		s.recent = lines[max(len(lines)-maxRecent, 0):]
	}
	return nil
}

// idle sends the last lines again where the server has ended the stream.
func (s *syslogSink) idle(ctx context.Context, at time.Time) error {
	if !s.ended() {
		return nil
	}
	return s.push(ctx, nil, at)
}

func (s *syslogSink) ended() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// connect makes a connection where there is none, and tells whether it did.
func (s *syslogSink) connect(ctx context.Context) (fresh bool, err error) {
	if s.ended() {
		s.close()
	}
	if s.conn != nil {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, syslogTimeout)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return false, network(err)
	}
	s.conn, s.gone = conn, make(chan struct{})
	if s.stream() {
		// A server of syslog says nothing. That it has gone is only seen by reading.
		go func(gone chan struct{}) {
			io.Copy(io.Discard, conn)
			close(gone)
		}(s.gone)
	}
	return true, nil
}

func (s *syslogSink) dial(ctx context.Context) (net.Conn, error) {
	if !s.tls {
		conn, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
		if err != nil && s.network == "unixgram" { // some daemons have a stream there
			if stream, err := new(net.Dialer).DialContext(ctx, "unix", s.address); err == nil {
				s.network = "unix"
				return stream, nil
			}
		}
		return conn, err
	}
	roots, err := rootsOf(s.ca)
	if err != nil {
		return nil, err
	}
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return dialer.DialContext(ctx, "tcp", s.address)
}

func (s *syslogSink) close() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn, s.gone = nil, nil
}

// network is what an error of a connection is, without addresses, which the configuration has.
func network(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// syslogOf reads an address: udp://host:port, tcp://host:port, tls://host:port, or
// unix:///path.
func syslogOf(address string) (*syslogSink, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errAddress
	}
	s := &syslogSink{host: hostname()}
	switch u.Scheme {
	case "udp", "tcp", "tls":
		if u.Port() == "" || u.Hostname() == "" || u.Path != "" {
			return nil, errAddress
		}
		s.network, s.address, s.tls = u.Scheme, u.Host, u.Scheme == "tls"
		if s.tls {
			s.network = "tcp"
		}
	case "unix":
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
			return nil, errAddress
		}
		s.network, s.address = "unixgram", u.Path
	default:
		return nil, errAddress
	}
	return s, nil
}

// hostname is that of the machine as a message has it (RFC 5424 6.2.4).
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" || len(name) > 255 || strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return "-"
	}
	return name
}
