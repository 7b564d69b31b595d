package main

import (
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/vexfs/vexctl/internal/format"
	"github.com/vexfs/vexctl/internal/render"
)

// recordWriter writes records in one of the outputs. record may be called by
// several goroutines at once.
type recordWriter interface {
	begin() error
	record(b []byte, r *format.Record) []byte
	end() error
	// Write takes the text of records, in order.
	io.Writer
}

func newWriter(kind string, w io.Writer, hex bool) recordWriter {
	switch kind {
	case "json":
		return &jsonRecords{w: w}
	case "ndjson":
		return ndjsonRecords{w}
	case "csv":
		return csvRecords{w}
	}
	return &tableRecords{Writer: w, width: terminalWidth(w), colour: colour(w), hex: hex}
}

type ndjsonRecords struct{ io.Writer }

func (ndjsonRecords) begin() error { return nil }
func (ndjsonRecords) end() error   { return nil }
func (ndjsonRecords) record(b []byte, r *format.Record) []byte {
	return append(render.Record(b, r), '\n')
}

// jsonRecords writes one object with a list. A comma precedes each record, so
// that no part of a scan needs to know whether another came before; Write
// drops the very first.
type jsonRecords struct {
	w      io.Writer
	within bool
}

func (j *jsonRecords) begin() error {
	_, err := io.WriteString(j.w, `{"schema":1,"type":"decode","records":[`)
	return err
}

func (j *jsonRecords) record(b []byte, r *format.Record) []byte {
	return render.Record(append(b, ",\n"...), r)
}

func (j *jsonRecords) Write(b []byte) (int, error) {
	if j.within || len(b) == 0 {
		return j.w.Write(b)
	}
	j.within = true
	n, err := j.w.Write(b[1:])
	return n + 1, err
}

func (j *jsonRecords) end() error {
	_, err := io.WriteString(j.w, "\n]}\n")
	return err
}

type csvRecords struct{ io.Writer }

func (c csvRecords) begin() error {
	_, err := io.WriteString(c.Writer, "offset,journal_offset,length,kind,zone,seq,tid,time,block,checksum,fault,event,path,fields\n")
	return err
}

func (c csvRecords) end() error { return nil }

func (c csvRecords) record(b []byte, r *format.Record) []byte {
	row := []string{strconv.FormatInt(r.Offset, 10), strconv.FormatInt(r.JournalOffset, 10), strconv.FormatInt(r.Length, 10), r.Kind.String(), r.Zone.String(),
		optional(r.HasSeq, r.Seq), optional(r.HasTid, r.Tid), "", optional(r.HasBlock, r.Block), r.Sum.String(), "", "", "", ""}
	if r.HasTime {
		row[7] = strings.Trim(string(render.Time(nil, r.Time)), `"`)
	}
	if len(r.Faults) > 0 {
		row[10] = r.Faults[0].Code
	}
	if r.Event != nil {
		row[11], row[12] = r.Event.Type.String(), strings.ToValidUTF8(r.Event.Path, "\uFFFD")
	}
	if len(r.Fields) > 0 {
		row[13] = string(render.Fields(nil, r.Fields))
	}
	var s strings.Builder
	w := csv.NewWriter(&s)
	w.Write(row)
	w.Flush()
	return append(b, s.String()...)
}

// tableRecords writes a line a record, in columns that never need to know what
// comes later.
type tableRecords struct {
	io.Writer
	width  int // of the terminal, 0 for no limit
	colour bool
	hex    bool
}

// columns are the widths of the table: narrow on a terminal of 80 columns, so
// that most of a line is left for what the record says.
type columns struct{ offset, kind, zone, seq int }

func (t *tableRecords) columns() columns {
	if t.width > 0 && t.width < 110 {
		return columns{11, 11, 6, 6}
	}
	return columns{12, 13, 12, 10}
}

func (t *tableRecords) begin() error {
	c := t.columns()
	_, err := fmt.Fprintf(t.Writer, "%*s  %-*s %-*s %*s  SUM  DETAIL\n", c.offset, "OFFSET", c.kind, "KIND", c.zone, "ZONE", c.seq, "SEQ")
	return err
}

func (t *tableRecords) end() error { return nil }

func (t *tableRecords) record(b []byte, r *format.Record) []byte {
	start := len(b)
	c := t.columns()
	b = padLeft(b, strconv.FormatInt(r.Offset, 10), c.offset)
	b = append(b, "  "...)
	b = padRight(b, r.Kind.String(), c.kind)
	b = append(b, ' ')
	b = padRight(b, r.Zone.String(), c.zone)
	b = append(b, ' ')
	b = padLeft(b, optional(r.HasSeq, r.Seq), c.seq)
	b = append(b, "  "...)
	b = padRight(b, shortSum(r.Sum), 3)
	b = append(b, "  "...)
	b = append(b, detail(r)...)
	b = t.fit(b, start)
	if len(r.Faults) > 0 {
		b = t.faults(b, r)
	}
	b = append(b, '\n')
	if t.hex && r.Raw != nil {
		b = append(b, hex.Dump(r.Raw)...)
	}
	return b
}

func shortSum(s format.Sum) string {
	return [...]string{"-", "ok", "BAD", "?"}[s]
}

func padLeft(b []byte, s string, width int) []byte {
	for range width - len(s) {
		b = append(b, ' ')
	}
	return append(b, s...)
}

// padRight cuts what is too long for its column.
func padRight(b []byte, s string, width int) []byte {
	b = append(b, s[:min(len(s), width)]...)
	for range width - len(s) {
		b = append(b, ' ')
	}
	return b
}

// fit cuts the line that began at start to the terminal's width.
func (t *tableRecords) fit(b []byte, start int) []byte {
	if t.width == 0 {
		return b
	}
	cells, last := 0, 0
	for i, c := range string(b[start:]) {
		if cells++; c >= 0x1100 {
			cells++ // perhaps a wide one
		}
		if cells > t.width {
			return append(b[:start+last], "…"...)
		}
		last = i
	}
	return b
}

func (t *tableRecords) faults(b []byte, r *format.Record) []byte {
	for i := range r.Faults {
		f := &r.Faults[i]
		line := wrap("              ! ", f.Code+": "+render.Plain(f.Message), t.width)
		b = append(b, '\n')
		b = append(b, paint(t.colour, red, line)...)
	}
	return b
}

// detail is the part of the line that says most about the record.
func detail(r *format.Record) string {
	switch {
	case r.Event != nil:
		return eventDetail(r)
	case r.Kind == format.Data && r.HasBlock:
		return "block " + strconv.FormatUint(r.Block, 10) + dataDetail(r.Fields)
	case r.Kind == format.Commit && r.HasTime:
		return clock(r.Time)
	case r.Kind == format.Gap:
		return render.Bytes(r.Length) + " " + render.Line(r.Fields)
	}
	return render.Line(r.Fields)
}

func dataDetail(fs format.Fields) string {
	var b strings.Builder
	for i := range fs {
		switch fs[i].Name {
		case "blocknr", "flags", "checksum", "descriptor_block", "inodes", "name_inodes":
		case "block_type":
			b.WriteString(": " + render.Plain(fs[i].S))
		default:
			b.WriteString(" " + fs[i].Name + "=" + render.Text(&fs[i]))
		}
	}
	return b.String()
}

func eventDetail(r *format.Record) string {
	e := r.Event
	var b strings.Builder
	fmt.Fprintf(&b, "%s id=%d", e.Type, e.ID)
	for _, x := range []struct{ name, value string }{{"path", e.Path}, {"name", e.Name}, {"agent", e.AgentID}, {"intent", e.Intent}, {"tags", e.Tags}} {
		if x.value != "" {
			fmt.Fprintf(&b, " %s=%s", x.name, render.Plain(x.value))
		}
	}
	if e.PID != 0 {
		fmt.Fprintf(&b, " pid=%d", e.PID)
	}
	if e.Errno != 0 {
		fmt.Fprintf(&b, " errno=%d", e.Errno)
	}
	return b.String()
}
