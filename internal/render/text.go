package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vexfs/vexctl/internal/format"
)

// Plain makes any bytes safe to show: control characters, bidirectional
// controls, other format characters and bytes that are not UTF-8 are escaped
// as in Go source, so that a name can't move the cursor or reorder a line.
func Plain(s string) string {
	if safe(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\\':
			b.WriteString(`\\`)
		case showable(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
		i += n
	}
	return b.String()
}

func safe(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !showable(r) || r == '\\' {
			return false
		}
		i += n
	}
	return true
}

// showable: unicode.IsGraphic leaves out controls, format characters (the
// bidirectional ones among them), surrogates and unassigned code points.
func showable(r rune) bool { return unicode.IsGraphic(r) && r != '\u2028' && r != '\u2029' }

// Text returns a field's value for people.
func Text(f *format.Field) string {
	switch f.Type {
	case format.TypeText:
		return Plain(f.S)
	case format.TypeTime:
		return time.Unix(0, int64(f.U)).UTC().Format("2006-01-02 15:04:05.000000000")
	case format.TypeHex:
		return "0x" + string(Hex(nil, f.U, int(f.Width)))
	case format.TypeHash:
		const most = 64
		if len(f.S) > most {
			return string(hexBytes(nil, f.S[:most])) + fmt.Sprintf("… (%d bytes)", len(f.S))
		}
		return string(hexBytes(nil, f.S))
	case format.TypeTexts:
		return list(len(f.T), func(i int) string { return Plain(f.T[i]) })
	case format.TypeUints:
		return list(len(f.L), func(i int) string { return strconv.FormatUint(f.L[i], 10) })
	case format.TypeNested:
		return "{" + Line(f.Sub) + "}"
	case format.TypeObjects:
		return list(len(f.List), func(i int) string { return "{" + Line(f.List[i]) + "}" })
	}
	return string(Value(nil, f))
}

// list joins at most a dozen items and counts the rest.
func list(n int, item func(int) string) string {
	const most = 12
	var parts []string
	for i := range min(n, most) {
		parts = append(parts, item(i))
	}
	if n > most {
		parts = append(parts, fmt.Sprintf("… %d more", n-most))
	}
	return strings.Join(parts, ",")
}

// Line returns fields as name=value pairs on one line.
func Line(fs format.Fields) string {
	var b strings.Builder
	for i := range fs {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(fs[i].Name)
		b.WriteByte('=')
		v := Text(&fs[i])
		if strings.ContainsAny(v, " \"") && fs[i].Type == format.TypeText {
			v = `"` + strings.ReplaceAll(v, `"`, `\"`) + `"`
		}
		b.WriteString(v)
	}
	return b.String()
}

// Bytes returns a size for people, "8.0 MiB".
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, u := float64(n), -1
	for v >= 1024 && u < len(units)-1 {
		v /= 1024
		u++
	}
	return fmt.Sprintf("%.1f %ciB", v, units[u])
}

// Cell returns a field's value for one cell of a CSV file: texts and numbers as
// they are, everything else as JSON.
func Cell(f *format.Field) string {
	switch f.Type {
	case format.TypeText:
		return strings.ToValidUTF8(f.S, "\uFFFD")
	case format.TypeHex, format.TypeHash, format.TypeTime:
		return strings.Trim(string(Value(nil, f)), `"`)
	}
	return string(Value(nil, f))
}
