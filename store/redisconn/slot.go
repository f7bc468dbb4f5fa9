package redisconn

import (
	"fmt"
	"slices"
	"strings"
)

const clusterSlots = 16384

// Slot returns the slot of a key in a Redis Cluster, by its hash tag.
// https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tag
func Slot(key string) int {
	if _, tag, ok := strings.Cut(key, "{"); ok {
		if tag, _, ok := strings.Cut(tag, "}"); ok && tag != "" {
			key = tag
		}
	}
	return int(crc16(key)) % clusterSlots
}

// crc16 is CRC-16/XMODEM.
func crc16(text string) uint16 {
	var crc uint16
	for _, b := range []byte(text) {
		crc ^= uint16(b) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// Moves reports whether the node that answered CLUSTER NODES gives a slot away, or takes
// it, key by key. It says so of itself only.
func Moves(nodes string, slot int) bool {
	for line := range strings.Lines(nodes) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !slices.Contains(strings.Split(fields[2], ","), "myself") {
			continue
		}
		for _, field := range fields[8:] {
			if strings.HasPrefix(field, fmt.Sprintf("[%d-", slot)) {
				return true
			}
		}
	}
	return false
}
