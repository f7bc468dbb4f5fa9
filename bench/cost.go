package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hookgate/hookgate/internal/process"
)

// tick is the unit of CPU time in /proc: USER_HZ, which is 100 on every Linux.
const tick = 10 * time.Millisecond

// cost is what processes have used so far.
type cost struct {
	cpu    time.Duration // user and system
	memory int64         // resident, in bytes
}

// costOf adds up processes and all below them.
func costOf(processes []*process.Process) (total cost, err error) {
	for _, p := range processes {
		if err := total.add(p.PID()); err != nil {
			return cost{}, err
		}
	}
	return total, nil
}

func (c *cost) add(pid int) error {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return err
	}
	// The name may hold anything, so what follows is counted from its end: utime,
	// stime, and those of children that have ended are the fields 14 to 17.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 22 {
		return fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	for _, field := range fields[11:15] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return err
		}
		c.cpu += time.Duration(ticks) * tick
	}
	pages, err := strconv.ParseInt(fields[21], 10, 64)
	if err != nil {
		return err
	}
	c.memory += pages * int64(os.Getpagesize())
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return err
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for child := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return err
			}
			if err := c.add(pid); err != nil {
				return err
			}
		}
	}
	return nil
}

// anonymousMemory returns the memory of a process that is no file's, in bytes: pages of
// its binary are the kernel's to keep or to drop.
func anonymousMemory(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nRssAnon:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " kB")
	kib, err := strconv.ParseFloat(number, 64)
	return kib * (1 << 10), err
}
