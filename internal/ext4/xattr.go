package ext4

import "github.com/vexfs/vexctl/internal/format"

// A block of extended attributes. Entries follow the header and end with four
// zero bytes; values stand at the end of the block.
//
//	0x00 4  magic EA020000         entry: 0  1  length of the name
//	0x04 4  reference count               1  1  prefix of the name
//	0x08 4  blocks: 1                     2  2  place of the value
//	0x0C 4  hash                          4  4  inode of a large value
//	0x10 4  checksum                      8  4  size of the value
//	0x20    entries                      12  4  hash, then the name, padded to 4
const (
	xattrHeader = 32
	xattrEntry  = 16
)

// xattrPrefixes are the beginnings of names that are stored as numbers.
var xattrPrefixes = [...]string{"", "user.", "system.posix_acl_access", "system.posix_acl_default", "trusted.", "", "security.",
	"system.", "system.richacl", "encryption.", "gnu."}

// xattrNames lists the names in a block of attributes.
func xattrNames(b []byte) []string {
	var out []string
	for at := xattrHeader; at+xattrEntry <= len(b) && le.Uint32(b[at:]) != 0; {
		size, prefix := int(b[at]), int(b[at+1])
		if at+xattrEntry+size > len(b) {
			break
		}
		name := string(b[at+xattrEntry : at+xattrEntry+size])
		if prefix < len(xattrPrefixes) {
			name = xattrPrefixes[prefix] + name
		}
		out = append(out, name)
		at += xattrEntry + (size+3)&^3
	}
	return out
}

func explainXattr(f *format.Fields, own *run, b []byte) {
	blockType(f, kindXattr)
	if own != nil && own.kind == kindXattr {
		ownerFields(f, own)
	}
	f.Uint("refcount", 4, 4, uint64(le.Uint32(b[4:])))
	f.Texts("names", xattrNames(b))
}
