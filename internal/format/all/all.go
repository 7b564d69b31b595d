// Package all knows every journal format and opens whatever journal a source
// holds.
package all

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/format/jbd2"
	"github.com/vexfs/vexctl/internal/format/semj"
	"github.com/vexfs/vexctl/internal/format/vexf"
)

// Formats is the table of formats, in the order in which they are asked.
var Formats = []*format.Format{jbd2.Format, semj.Format, semj.Stor, vexf.Format}

// Named returns the format of that name.
func Named(name string) (*format.Format, error) {
	i := slices.IndexFunc(Formats, func(f *format.Format) bool { return f.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no format %q; there are %s", name, strings.Join(Names(), ", "))
	}
	return Formats[i], nil
}

// Names lists the names of the formats.
func Names() []string {
	var out []string
	for _, f := range Formats {
		out = append(out, f.Name)
	}
	return out
}

// Rules lists every fault code of every format, sorted, each once.
func Rules() []format.Rule {
	var out []format.Rule
	for _, f := range Formats {
		for _, r := range f.Rules {
			if !slices.ContainsFunc(out, func(o format.Rule) bool { return o.Code == r.Code }) {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b format.Rule) int { return strings.Compare(a.Code, b.Code) })
	return out
}

// Open finds the journal in src. Every format is asked first for a journal
// that says what it is, and then for one whose header is destroyed. A format
// that recognises its journal and can't read it ends the search.
func Open(ctx context.Context, src format.Source, opt format.Options) (format.Journal, *format.Format, error) {
	for _, salvage := range []bool{false, true} {
		opt.Salvage = salvage
		for _, f := range Formats {
			j, err := f.Find(ctx, src, opt)
			if err == nil {
				return j, f, nil
			}
			if !errors.Is(err, format.ErrUnknownFormat) {
				return nil, f, err
			}
		}
	}
	return nil, nil, unknown(src)
}

// OpenAs finds a journal of one format, however damaged it may be.
func OpenAs(ctx context.Context, f *format.Format, src format.Source, opt format.Options) (format.Journal, error) {
	j, err := f.Find(ctx, src, opt)
	if errors.Is(err, format.ErrUnknownFormat) {
		opt.Salvage = true
		j, err = f.Find(ctx, src, opt)
	}
	return j, err
}

func unknown(src format.Source) error {
	e := &format.Error{What: "holds no journal that vexctl knows", Path: src.Name(), Offset: -1, Err: format.ErrUnknownFormat,
		Hint: "vexctl formats lists what it knows; --format forces one, --offset and --partition say where to look"}
	if src.Size() == 0 {
		e.What, e.Hint = "is empty", ""
	}
	return e
}
