package semj

import "github.com/vexfs/vexctl/internal/event"

// Link is a causality link as stored.
type Link struct {
	Cause, Effect uint64
	Type          uint32
	Strength      uint32
	Delay         int64
	Text          Text
}

func decodeLink(b []byte) Link {
	return Link{
		Cause: le.Uint64(b[lnkCause:]), Effect: le.Uint64(b[lnkEffect:]),
		Type: le.Uint32(b[lnkType:]), Strength: le.Uint32(b[lnkStrength:]),
		Delay: int64(le.Uint64(b[lnkDelay:])), Text: text(b[lnkText : lnkText+lenLinkText]),
	}
}

// encode fills the LinkSize bytes of b, which are zero.
func (l *Link) encode(b []byte) {
	le.PutUint64(b[lnkCause:], l.Cause)
	le.PutUint64(b[lnkEffect:], l.Effect)
	le.PutUint32(b[lnkType:], l.Type)
	le.PutUint32(b[lnkStrength:], l.Strength)
	le.PutUint64(b[lnkDelay:], uint64(l.Delay))
	copy(b[lnkText:lnkText+lenLinkText], l.Text)
}

func (l *Link) semantic() event.Link {
	return event.Link{Cause: l.Cause, Effect: l.Effect, Type: l.Type, Strength: l.Strength, Delay: l.Delay, Description: l.Text.String()}
}

// decodeLinks appends the links in b to dst.
func decodeLinks(dst []Link, b []byte) []Link {
	for ; len(b) >= LinkSize; b = b[LinkSize:] {
		dst = append(dst, decodeLink(b))
	}
	return dst
}
