package semj

import "strings"

// Text is a text field of fixed length as stored, without the zeros at its
// end. The text proper ends at the first zero byte; what a writer left behind
// it is kept, so that encoding gives the same bytes.
type Text string

// text reads the field b.
func text(b []byte) Text {
	n := len(b)
	for n > 0 && b[n-1] == 0 {
		n--
	}
	return Text(b[:n])
}

// String returns the text proper.
func (t Text) String() string {
	s, _ := t.cut()
	return s
}

// Rest returns what follows the first zero byte, without the zeros at the end.
func (t Text) Rest() string {
	_, rest := t.cut()
	return rest
}

func (t Text) cut() (text, rest string) {
	text, rest, _ = strings.Cut(string(t), "\x00")
	return text, rest
}
