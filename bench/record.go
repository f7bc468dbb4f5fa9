package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// record is what was measured, in one run or in several.
type record struct {
	// Machine says where and when each traffic was measured, the flood among them.
	Machine map[string]string
	Samples results
	Flood   *floodResult
	Left    []string // what was left out, and why
}

// loadRecord reads what earlier runs have left.
func loadRecord(path string) (*record, error) {
	all := &record{Machine: make(map[string]string), Samples: make(results)}
	if path == "" {
		return all, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(text, all)
}

func (all *record) save(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
