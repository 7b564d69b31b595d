package format

import (
	"encoding/binary"
	"time"
)

// FieldType says how a field's value is kept and shown.
type FieldType uint8

const (
	TypeUint    FieldType = iota // U, shown as a decimal number
	TypeInt                      // int64(U), shown as a decimal number
	TypeBool                     // U != 0
	TypeHex                      // U, Width hex digits, lower case: checksums
	TypeText                     // S, any bytes: names, labels
	TypeHash                     // S, raw bytes shown as lower-case hex
	TypeTime                     // nanoseconds since 1970 as int64(U)
	TypeUints                    // L
	TypeTexts                    // T
	TypeNested                   // Sub: a structure within the record
	TypeObjects                  // List: a list of structures
)

// Field is one decoded value of a record, with the bytes it came from.
type Field struct {
	// Name is the name on the format's page, in snake_case.
	Name string
	// At and Size are the byte range within the record; Size 0 means that the
	// value was derived and has no bytes of its own.
	At, Size int32
	Type     FieldType
	Width    uint8 // hex digits of a TypeHex
	U        uint64
	S        string
	L        []uint64
	T        []string
	Sub      Fields
	List     []Fields
}

// Fields is an ordered list of fields. Its methods append.
type Fields []Field

// Get returns the field of that name, or nil.
func (f Fields) Get(name string) *Field {
	for i := range f {
		if f[i].Name == name {
			return &f[i]
		}
	}
	return nil
}

// Text returns the text of the named field, or "".
func (f Fields) Text(name string) string {
	if x := f.Get(name); x != nil {
		return x.S
	}
	return ""
}

// Num returns the number of the named field, or 0.
func (f Fields) Num(name string) uint64 {
	if x := f.Get(name); x != nil {
		return x.U
	}
	return 0
}

func (f *Fields) grow() *Field {
	*f = append(*f, Field{})
	return &(*f)[len(*f)-1]
}

func (f *Fields) num(t FieldType, name string, at, size int, v uint64) {
	x := f.grow()
	x.Name, x.At, x.Size, x.Type, x.U = name, int32(at), int32(size), t, v
}

// Uint appends a number found in bytes [at, at+size) of the record.
func (f *Fields) Uint(name string, at, size int, v uint64) { f.num(TypeUint, name, at, size, v) }

// Int appends a signed number.
func (f *Fields) Int(name string, at, size int, v int64) { f.num(TypeInt, name, at, size, uint64(v)) }

// Hex appends a number shown as hex with two digits a byte: a checksum or mask.
func (f *Fields) Hex(name string, at, size int, v uint64) {
	f.num(TypeHex, name, at, size, v)
	(*f)[len(*f)-1].Width = uint8(2 * size)
}

// Bool appends a truth value.
func (f *Fields) Bool(name string, at, size int, v bool) {
	u := uint64(0)
	if v {
		u = 1
	}
	f.num(TypeBool, name, at, size, u)
}

// Str appends a text.
func (f *Fields) Str(name string, at, size int, v string) {
	f.num(TypeText, name, at, size, 0)
	(*f)[len(*f)-1].S = v
}

// Hash appends raw bytes that are shown as hex. It keeps a copy.
func (f *Fields) Hash(name string, at int, v []byte) {
	f.num(TypeHash, name, at, len(v), 0)
	(*f)[len(*f)-1].S = string(v)
}

// Time appends a moment in nanoseconds since 1970 UTC.
func (f *Fields) Time(name string, at, size int, ns int64) {
	f.num(TypeTime, name, at, size, uint64(ns))
}

// Seconds appends a moment in seconds since 1970 UTC. A number of seconds that
// no int64 of nanoseconds can hold is kept as a plain number.
func (f *Fields) Seconds(name string, at, size int, sec uint64) {
	if ns, ok := UnixNano(sec, 0); ok {
		f.Time(name, at, size, ns)
		return
	}
	f.Uint(name, at, size, sec)
}

// Uints appends a list of numbers. The list is kept, not copied.
func (f *Fields) Uints(name string, at, size int, v []uint64) {
	f.num(TypeUints, name, at, size, 0)
	(*f)[len(*f)-1].L = v
}

// Texts appends a list of texts. The list is kept, not copied.
func (f *Fields) Texts(name string, v []string) {
	f.num(TypeTexts, name, 0, 0, 0)
	(*f)[len(*f)-1].T = v
}

// Nested appends a structure within the record.
func (f *Fields) Nested(name string, at, size int, v Fields) {
	f.num(TypeNested, name, at, size, 0)
	(*f)[len(*f)-1].Sub = v
}

// Objects appends a list of structures.
func (f *Fields) Objects(name string, at, size int, v []Fields) {
	f.num(TypeObjects, name, at, size, 0)
	(*f)[len(*f)-1].List = v
}

// UnixNano converts a time in seconds and nanoseconds, and reports whether it
// can be shown: years 1678 to 2262.
func UnixNano(sec uint64, nsec uint32) (ns int64, ok bool) {
	const most = uint64(1<<63-1) / uint64(time.Second)
	if sec >= most || nsec >= uint32(time.Second) {
		return 0, false
	}
	return int64(sec)*int64(time.Second) + int64(nsec), true
}

// Layout decodes fixed structures: each method reads one field of b at an
// offset, appends it to the list under its name, and returns it. Reading
// beyond b yields zero and appends nothing.
type Layout struct {
	B      []byte
	Order  binary.ByteOrder
	Fields *Fields
	// Base is added to the offsets noted in the fields: where B starts within
	// the record.
	Base int
}

func (l Layout) has(at, size int) bool { return at >= 0 && at+size <= len(l.B) }

// U8 reads one byte.
func (l Layout) U8(name string, at int) uint8 {
	if !l.has(at, 1) {
		return 0
	}
	l.Fields.Uint(name, l.Base+at, 1, uint64(l.B[at]))
	return l.B[at]
}

// U16 reads two bytes.
func (l Layout) U16(name string, at int) uint16 {
	if !l.has(at, 2) {
		return 0
	}
	v := l.Order.Uint16(l.B[at:])
	l.Fields.Uint(name, l.Base+at, 2, uint64(v))
	return v
}

// U32 reads four bytes.
func (l Layout) U32(name string, at int) uint32 {
	if !l.has(at, 4) {
		return 0
	}
	v := l.Order.Uint32(l.B[at:])
	l.Fields.Uint(name, l.Base+at, 4, uint64(v))
	return v
}

// U64 reads eight bytes.
func (l Layout) U64(name string, at int) uint64 {
	if !l.has(at, 8) {
		return 0
	}
	v := l.Order.Uint64(l.B[at:])
	l.Fields.Uint(name, l.Base+at, 8, v)
	return v
}

// I64 reads eight bytes as a signed number.
func (l Layout) I64(name string, at int) int64 {
	if !l.has(at, 8) {
		return 0
	}
	v := int64(l.Order.Uint64(l.B[at:]))
	l.Fields.Int(name, l.Base+at, 8, v)
	return v
}

// X32 reads four bytes that are shown as hex: a checksum or a mask.
func (l Layout) X32(name string, at int) uint32 {
	if !l.has(at, 4) {
		return 0
	}
	v := l.Order.Uint32(l.B[at:])
	l.Fields.Hex(name, l.Base+at, 4, uint64(v))
	return v
}

// Time64 reads eight bytes as seconds since 1970.
func (l Layout) Time64(name string, at int) uint64 {
	if !l.has(at, 8) {
		return 0
	}
	v := l.Order.Uint64(l.B[at:])
	l.Fields.Seconds(name, l.Base+at, 8, v)
	return v
}

// Bytes reads n raw bytes that are shown as hex.
func (l Layout) Bytes(name string, at, n int) []byte {
	if n < 0 || !l.has(at, n) {
		return nil
	}
	l.Fields.Hash(name, l.Base+at, l.B[at:at+n])
	return l.B[at : at+n]
}

// CString reads a text of at most n bytes that ends at its first zero byte.
func (l Layout) CString(name string, at, n int) string {
	if n < 0 || !l.has(at, n) {
		return ""
	}
	s := l.B[at : at+n]
	for i, c := range s {
		if c == 0 {
			s = s[:i]
			break
		}
	}
	l.Fields.Str(name, l.Base+at, n, string(s))
	return string(s)
}
