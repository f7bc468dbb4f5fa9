package trail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/hookgate/hookgate/internal/auditchain"
)

// fileSink appends to a file. How far it is says the file itself, by its last line; beside it
// is a copy of that line, for when the file has been moved away.
type fileSink struct {
	path string
	now  func() time.Time
	lock *flock.Flock
	file *os.File
	last place
	line []byte // the last one
}

var (
	errNoLog      = errors.New("the end of the file is no audit log of ours: move it away")
	errNotRegular = errors.New("what is there is no regular file")
)

// open implements sink.
func (s *fileSink) open(context.Context) error {
	s.lock = flock.New(s.path+".lock", flock.SetPermissions(0o600))
	if locked, err := s.lock.TryLock(); err != nil {
		return plain(err)
	} else if !locked {
		return errElsewhere
	}
	s.line, _ = os.ReadFile(s.beside())
	s.last, _ = placeOf(bytes.TrimSuffix(s.line, []byte("\n")))
	return s.openFile()
}

// beside is where a copy of the last line is.
func (s *fileSink) beside() string { return s.path + ".last" }

// openFile opens what is at the path now, and goes on where it ends.
func (s *fileSink) openFile() error {
	if s.file != nil {
		s.file.Close()
	}
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_APPEND|noFollow, 0o600)
	if err != nil {
		return plain(err)
	}
	s.file = file
	info, err := file.Stat()
	switch {
	case err != nil:
		return plain(err)
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	if info.Mode().Perm() != 0o600 { // made by somebody else, such as logrotate
		if err := file.Chmod(0o600); err != nil {
			return plain(err)
		}
	}
	size := info.Size()
	tail := make([]byte, min(size, 4*auditchain.MaxLine))
	if _, err := file.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return plain(err)
	}
	return s.goOn(tail, int64(len(tail)) == size)
}

// goOn finds the last whole line of what a file ends with, or of all of it. What comes behind
// is part of a line that a crash or a full disk has torn: another line says so.
func (s *fileSink) goOn(tail []byte, all bool) error {
	if len(tail) == 0 {
		if s.last.Seq == 0 {
			return nil
		}
		return s.mark(markLine{Mark: auditchain.MarkContinues}, nil)
	}
	var before []byte
	if tail[len(tail)-1] != '\n' {
		before = []byte("\n")
	}
	rest := bytes.TrimSuffix(tail, []byte("\n"))
	for end := len(rest); ; {
		begin := bytes.LastIndexByte(rest[:end], '\n') + 1
		found, ok := placeOf(rest[begin:end])
		torn := rest[min(end+1, len(rest)):]
		switch {
		case ok && end == len(rest):
			s.last, s.line = found, rest[begin:end]
			return s.write(before)
		case ok:
			s.last = found
			return s.mark(markLine{Mark: auditchain.MarkTorn, Torn: auditchain.SumOf(torn)}, before)
		case begin == 0 && all:
			return s.mark(markLine{Mark: auditchain.MarkTorn, Torn: auditchain.SumOf(rest)}, before)
		case begin == 0:
			return errNoLog
		}
		end = begin - 1
	}
}

// placeOf returns the place that a line tells of.
func placeOf(text []byte) (place, bool) {
	line, err := auditchain.Parse(text)
	if err != nil {
		return place{}, false
	}
	p, ok := parsePosition(line.Position)
	return place{line.Head, p}, ok
}

// mark writes a line that is no entry, and something before it.
func (s *fileSink) mark(m markLine, before []byte) error {
	m.At, m.Position = s.now().UTC().Truncate(time.Millisecond), position(s.last.OutboxPosition)
	next := s.last
	lines, err := next.seal(nil, m)
	if err != nil {
		return err
	}
	if err := s.write(append(append(before, lines[0]...), '\n')); err != nil {
		return err
	}
	s.last, s.line = next, lines[0]
	return nil
}

func (s *fileSink) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := s.file.Write(text)
	return plain(errors.Join(err, s.file.Sync()))
}

// idle implements sink.
func (s *fileSink) idle(context.Context) (place, error) {
	at, err := os.Lstat(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s.last, plain(err)
	}
	ours, ownErr := s.file.Stat()
	switch {
	case ownErr != nil:
		return s.last, plain(ownErr)
	case err != nil || !os.SameFile(at, ours): // moved away, as logrotate does
		err = s.openFile()
	case ours.Size() == 0 && s.last.Seq > 0: // emptied, as its copytruncate does
		err = s.mark(markLine{Mark: auditchain.MarkContinues}, nil)
	default:
		err = nil
	}
	return s.last, err
}

// send implements sink.
func (s *fileSink) send(_ context.Context, b batch) error {
	if len(b.lines) > 0 {
		if err := s.write(append(bytes.Join(b.lines, []byte("\n")), '\n')); err != nil {
			return err
		}
		s.line = b.lines[len(b.lines)-1]
	}
	s.last = b.next
	return s.keepBeside()
}

// keepBeside keeps the last line where it is found after the file has been moved away.
func (s *fileSink) keepBeside() error {
	file, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".last.*")
	if err != nil {
		return plain(err)
	}
	_, err = file.Write(append(s.line[:len(s.line):len(s.line)], '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), s.beside())
	}
	if err != nil {
		return errors.Join(plain(err), plain(os.Remove(file.Name())))
	}
	return nil
}

func (s *fileSink) limit() int { return 0 }

// close implements sink.
func (s *fileSink) close() {
	if s.file != nil {
		s.file.Close()
		s.file = nil
	}
	if s.lock != nil {
		s.lock.Close()
	}
}

// plain keeps what an error of a file is, without the path, which the configuration has.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Op, path.Err)
	}
	return err
}
