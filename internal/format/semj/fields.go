package semj

import "github.com/vexfs/vexctl/internal/format"

// eventFields appends the values of the event in b, a whole event, to f.
// stored is false when b is not what lies on disk but an expansion of it; the
// values then have no bytes of their own.
func eventFields(f *format.Fields, b []byte, stored bool) {
	first := len(*f)
	headerFields(layout(b[:EventSize], f, 0))
	s, at := sizesOf(b), EventSize
	if s.context > 0 {
		f.Nested("context", at, s.context, contextFields(b[at:at+s.context], at))
	}
	at += s.context
	f.Hash("payload", at, b[at:at+s.payload])
	at += s.payload
	f.Hash("metadata", at, b[at:at+s.metadata])
	at += s.metadata
	f.Objects("links", at, len(b)-at, linkFields(b[at:], at))
	if !stored {
		unplace((*f)[first:])
	}
}

func headerFields(l format.Layout) {
	l.U64("event_id", evID)
	l.U32("event_type", evType)
	l.U32("event_subtype", evSubtype)
	l.I64("ktime", evKTime)
	l.U64("ts_sequence", evTimeSeq)
	l.U32("cpu_id", evCPU)
	l.U32("process_id", evPID)
	l.U64("global_sequence", evGlobalSeq)
	l.U64("local_sequence", evLocalSeq)
	l.U32("event_flags", evFlags)
	l.U32("event_priority", evPriority)
	l.U32("event_size", evSize)
	l.U32("context_size", evContext)
	l.U32("payload_size", evPayload)
	l.U32("metadata_size", evMetadata)
	l.U32("event_version", evVersion)
	l.X32("checksum", evSum)
	l.U32("compression_type", evCompress)
	l.U32("encryption_type", evEncrypt)
	l.U32("causality_link_count", evLinks)
	l.U64("parent_event_id", evParent)
	l.U64("root_cause_event_id", evRoot)
	l.U64("agent_visibility_mask", evVisibility)
	l.U32("agent_relevance_score", evRelevance)
	l.U32("replay_priority", evReplay)
}

// contextFields lists the members of a context that are not zero or empty.
func contextFields(b []byte, base int) format.Fields {
	var c Context
	c.decode(b)
	f := format.Fields{}
	for _, p := range c.places() {
		at, size := base+p.at, len(part(b, p.at, p.size))
		switch {
		case p.text != nil:
			if s := p.text.String(); s != "" {
				f.Str(p.name, at, size, s)
			}
		case p.u64 != nil && *p.u64 != 0:
			f.Uint(p.name, at, size, *p.u64)
		case p.u32 != nil && *p.u32 != 0:
			f.Uint(p.name, at, size, uint64(*p.u32))
		}
	}
	return f
}

func linkFields(b []byte, base int) []format.Fields {
	list := make([]format.Fields, 0, len(b)/LinkSize)
	for at := 0; at+LinkSize <= len(b); at += LinkSize {
		var f format.Fields
		l := layout(b[at:at+LinkSize], &f, base+at)
		l.U64("cause", lnkCause)
		l.U64("effect", lnkEffect)
		l.U32("type", lnkType)
		l.U32("strength", lnkStrength)
		l.I64("delay", lnkDelay)
		l.CString("text", lnkText, lenLinkText)
		list = append(list, f)
	}
	return list
}

// unplace takes their places from fields, at every depth.
func unplace(f format.Fields) {
	for i := range f {
		f[i].At, f[i].Size = 0, 0
		unplace(f[i].Sub)
		for _, x := range f[i].List {
			unplace(x)
		}
	}
}
