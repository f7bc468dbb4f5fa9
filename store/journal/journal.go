// Package journal appends Redis commands to a file, each on stable storage before it
// counts, and reads them back.
package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A journal file is a magic line and then records, each one Redis command:
//
//	uint32 length of the payload | uint32 CRC-32C of that length | uint32 CRC-32C of the payload
//	payload: uvarint count, then per argument uvarint length and bytes
//
// All integers but varints are little-endian. Replaying the commands in order gives
// the data set; like Redis' own append-only file it holds the scripts it calls, so a
// later version with other scripts replays it to the same result.
const journalMagic = "hookgate journal 1\n"

const recordHeader = 12

// maxRecord bounds a payload in bytes, so that a damaged length cannot ask for
// gigabytes of memory. The largest real record is one usage batch, about 50 KiB.
const maxRecord = 16 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	ErrJournalMagic   = errors.New("the journal is not one of ours, or of a later version")
	ErrJournalCorrupt = errors.New("the journal is damaged in the middle: restore it from a backup")
	ErrNotAFile       = errors.New("what is there is no regular file")
	errRecordTooLong  = errors.New("the command is too long for the journal")
	errJournalBroken  = errors.New("the journal could not be written; restart when the disk is well again")
)

// Journal appends commands to a file, each on stable storage before append returns.
type Journal struct {
	File   *os.File
	Size   int64 // up to which the file is known good
	Broken bool
}

// Open opens or creates the file and calls replay for every record. A torn
// last record, which was never acknowledged, is cut off; anything unreadable with
// a readable record behind it is damage, and opening fails.
func Open(path string, replay func(command []string) error) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return Write(path, func(func([]string) error) error { return nil })
	}
	if err != nil {
		return nil, err
	}
	j := &Journal{File: file}
	if err := j.load(replay); err != nil {
		file.Close()
		return nil, err
	}
	return j, nil
}

func (j *Journal) load(replay func([]string) error) error {
	data, err := io.ReadAll(j.File)
	if err != nil {
		return err
	}
	at, err := ReplayRecords(data, replay)
	if err != nil {
		return err
	}
	j.Size = int64(at)
	if err := j.cut(); err != nil {
		return err
	}
	// A killed predecessor may have written its last record and not synced it. From
	// now on it counts: what it revoked is answered as revoked.
	return j.File.Sync()
}

// ReplayRecords calls replay for every record of a journal file, and returns the
// size of what it has read: less than the file where the last record is torn.
func ReplayRecords(data []byte, replay func(command []string) error) (int, error) {
	if !bytes.HasPrefix(data, []byte(journalMagic)) {
		return 0, ErrJournalMagic
	}
	at := len(journalMagic)
	for at < len(data) {
		command, n := decodeRecord(data[at:])
		if command == nil {
			break
		}
		if err := replay(command); err != nil {
			return at, fmt.Errorf("replay the journal at byte %d: %w", at, err)
		}
		at += n
	}
	for i := at + 1; i < len(data); i++ {
		if command, _ := decodeRecord(data[i:]); command != nil {
			return at, ErrJournalCorrupt
		}
	}
	return at, nil
}

// cut drops whatever is behind the known good size.
func (j *Journal) cut() error {
	if err := j.File.Truncate(j.Size); err != nil {
		return err
	}
	_, err := j.File.Seek(j.Size, io.SeekStart)
	return err
}

// Append writes commands as consecutive records and syncs them. When it fails,
// nothing has been appended; a failed sync leaves the state of the disk unknown,
// so the journal takes nothing more.
func (j *Journal) Append(commands ...[]string) error {
	if j.Broken {
		return errJournalBroken
	}
	var records []byte
	for _, command := range commands {
		var err error
		if records, err = appendRecord(records, command); err != nil {
			return err
		}
	}
	if _, err := j.File.Write(records); err != nil {
		j.Broken = j.cut() != nil
		return err
	}
	if err := j.File.Sync(); err != nil {
		j.Broken = true
		return err
	}
	j.Size += int64(len(records))
	return nil
}

// ProbeBytes is how long a probe is: as the longest change, with its script before it.
// Whatever is left of the last block of a full disk takes a shorter one.
const ProbeBytes = 16 << 10

// Probe proves that Append could write: it does, and takes back what it wrote. A process
// that is killed in between leaves a command behind that changes nothing.
func (j *Journal) Probe() error {
	if j.Broken {
		return errJournalBroken
	}
	record, err := appendRecord(nil, []string{"PING", strings.Repeat(" ", ProbeBytes)})
	if err != nil {
		return err
	}
	_, err = j.File.Write(record)
	if err == nil {
		err = j.File.Sync()
		j.Broken = err != nil
	}
	if cut := j.cut(); cut != nil {
		j.Broken = true
		err = errors.Join(err, cut)
	}
	return err
}

// Replace swaps the file for one with the records that fill emits: wholly, or not at
// all. Where that fails the old file goes on, except where its name may be gone: then
// the journal takes nothing more.
func (j *Journal) Replace(path string, fill func(emit func(command []string) error) error) error {
	fresh, err := Write(path, fill)
	if fresh != nil {
		j.File.Close()
		*j = *fresh
	}
	return err
}

func (j *Journal) Close() error { return j.File.Close() }

// Write puts a file with the records that fill emits at path, in place of a regular file
// or of none. An error with a journal means that the file is there, but its name maybe not
// on stable storage.
//
// Until it is whole it has a name that nobody can have prepared: a file or a link of
// another user there would get to hold the digests.
func Write(path string, fill func(emit func(command []string) error) error) (*Journal, error) {
	if there, err := os.Lstat(path); err == nil && !there.Mode().IsRegular() {
		return nil, ErrNotAFile
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+unfinished)
	if err != nil {
		return nil, err
	}
	j := &Journal{File: file}
	if err = j.fill(fill); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		file.Close()
		os.Remove(file.Name())
		return nil, err
	}
	err = syncDirectory(filepath.Dir(path))
	j.Broken = err != nil
	return j, err
}

// unfinished is what the name of a file has behind it until the file is whole.
const unfinished = ".*.tmp"

// RemoveUnfinished removes what a process that was killed has left of a file at path.
func RemoveUnfinished(path string) error {
	left, err := filepath.Glob(path + unfinished)
	for _, file := range left {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

func (j *Journal) fill(fill func(emit func(command []string) error) error) (err error) {
	if j.Size, err = Stream(j.File, fill); err != nil {
		return err
	}
	return j.File.Sync()
}

// Stream writes the records that fill emits as a journal has them, and returns how many
// bytes they are.
func Stream(to io.Writer, fill func(emit func(command []string) error) error) (size int64, err error) {
	write := func(data []byte) error {
		n, err := to.Write(data)
		size += int64(n)
		return err
	}
	if err := write([]byte(journalMagic)); err != nil {
		return size, err
	}
	err = fill(func(command []string) error {
		record, err := appendRecord(nil, command)
		if err != nil {
			return err
		}
		return write(record)
	})
	return size, err
}

func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func appendRecord(to []byte, command []string) ([]byte, error) {
	payload := binary.AppendUvarint(nil, uint64(len(command)))
	for _, arg := range command {
		payload = binary.AppendUvarint(payload, uint64(len(arg)))
		payload = append(payload, arg...)
	}
	if len(payload) > maxRecord {
		return nil, errRecordTooLong // it could not be read again
	}
	length := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	to = append(to, length...)
	to = binary.LittleEndian.AppendUint32(to, crc32.Checksum(length, castagnoli))
	to = binary.LittleEndian.AppendUint32(to, crc32.Checksum(payload, castagnoli))
	return append(to, payload...), nil
}

// decodeRecord returns the record that data begins with and its length in bytes,
// or nil where there is none.
func decodeRecord(data []byte) (command []string, n int) {
	if len(data) < recordHeader || crc32.Checksum(data[:4], castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
		return nil, 0
	}
	length := int(binary.LittleEndian.Uint32(data))
	if length > maxRecord || length > len(data)-recordHeader {
		return nil, 0
	}
	payload := data[recordHeader : recordHeader+length]
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(data[8:]) {
		return nil, 0
	}
	count, at := binary.Uvarint(payload)
	if at <= 0 || count == 0 || count > uint64(length) {
		return nil, 0
	}
	command = make([]string, count)
	for i := range command {
		size, k := binary.Uvarint(payload[at:])
		if k <= 0 || size > uint64(len(payload)-at-k) {
			return nil, 0
		}
		at += k
		command[i] = string(payload[at : at+int(size)])
		at += int(size)
	}
	if at != len(payload) {
		return nil, 0
	}
	return command, recordHeader + length
}
