package guard

// class is a set of bytes. What may stand where is told by this one table.
type class uint8

const (
	segmentByte class = 1 << iota // as it is in a segment of a path: RFC 3986's pchar without '%' and ';'
	plainByte                     // segmentByte or '/'
	nameByte                      // A-Z a-z 0-9 - _
	keyByte                       // nameByte or ':'
	idByte                        // nameByte or '.'
	pathByte                      // 0x21 to 0x7e without '%', ';' and '\\', which routers read differently
	textByte                      // anything but control characters
)

var classes = func() (table [256]class) {
	add := func(c class, bytes string) {
		for i := range len(bytes) {
			table[bytes[i]] |= c
		}
	}
	const letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "0123456789"
	add(segmentByte|plainByte, letters+digits+"-._~!$&'()*+,=:@")
	add(plainByte, "/")
	add(nameByte|keyByte, letters+digits+"-_")
	add(keyByte, ":")
	add(idByte, letters+digits+"-_.")
	for b := range table {
		if b > ' ' && b < 0x7f && b != '%' && b != ';' && b != '\\' {
			table[b] |= pathByte
		}
		if b >= ' ' && b != 0x7f {
			table[b] |= textByte
		}
	}
	return table
}()

// madeOf reports whether every byte of s is of the class.
func madeOf[T string | []byte](s T, c class) bool {
	for i := range len(s) {
		if classes[s[i]]&c == 0 {
			return false
		}
	}
	return true
}
