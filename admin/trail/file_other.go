//go:build !unix

package trail

const noFollow = 0
