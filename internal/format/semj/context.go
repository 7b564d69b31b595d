package semj

// Context is what an event was about: 5280 bytes of which most are text.
type Context struct {
	Transaction      uint64
	Session          uint64
	CausalityChain   uint64
	Path             Text // 4096 bytes
	Inode            uint64
	FileType         uint32
	GraphNode        uint64
	GraphEdge        uint64
	GraphOperation   uint32
	VectorID         uint64
	VectorDimensions uint32
	VectorElement    uint32
	AgentID          Text // 64 bytes
	AgentIntent      Text // 256 bytes
	AgentConfidence  uint32
	SystemLoad       uint32
	MemoryUsage      uint64
	IOPressure       uint32
	Tags             Text // 512 bytes
	Intent           Text // 256 bytes
	IntentConfidence uint32
}

// place is where one member of the context lies: exactly one of the pointers
// is set. It is the one table that decoding, encoding, fields and limits share.
type place struct {
	name     string
	at, size int
	u64      *uint64
	u32      *uint32
	text     *Text
}

// places lists the members of c in the order of their offsets.
func (c *Context) places() [21]place {
	return [...]place{
		{name: "transaction_id", at: ctxTransaction, size: 8, u64: &c.Transaction},
		{name: "session_id", at: ctxSession, size: 8, u64: &c.Session},
		{name: "causality_chain_id", at: ctxChain, size: 8, u64: &c.CausalityChain},
		{name: "path", at: ctxPath, size: lenPath, text: &c.Path},
		{name: "inode_number", at: ctxInode, size: 8, u64: &c.Inode},
		{name: "file_type", at: ctxFileType, size: 4, u32: &c.FileType},
		{name: "graph_node_id", at: ctxGraphNode, size: 8, u64: &c.GraphNode},
		{name: "graph_edge_id", at: ctxGraphEdge, size: 8, u64: &c.GraphEdge},
		{name: "graph_operation_type", at: ctxGraphOp, size: 4, u32: &c.GraphOperation},
		{name: "vector_id", at: ctxVectorID, size: 8, u64: &c.VectorID},
		{name: "vector_dimensions", at: ctxVectorDims, size: 4, u32: &c.VectorDimensions},
		{name: "vector_element_type", at: ctxVectorElem, size: 4, u32: &c.VectorElement},
		{name: "agent_id", at: ctxAgentID, size: lenAgentID, text: &c.AgentID},
		{name: "agent_intent", at: ctxAgentIntent, size: lenIntent, text: &c.AgentIntent},
		{name: "agent_confidence", at: ctxAgentConf, size: 4, u32: &c.AgentConfidence},
		{name: "system_load", at: ctxLoad, size: 4, u32: &c.SystemLoad},
		{name: "memory_usage", at: ctxMemory, size: 8, u64: &c.MemoryUsage},
		{name: "io_pressure", at: ctxPressure, size: 4, u32: &c.IOPressure},
		{name: "semantic_tags", at: ctxTags, size: lenTags, text: &c.Tags},
		{name: "semantic_intent", at: ctxIntent, size: lenIntent, text: &c.Intent},
		{name: "semantic_confidence", at: ctxIntentConf, size: 4, u32: &c.IntentConfidence},
	}
}

// decode reads a context of any size: members that b cuts off keep the bytes
// that are there.
func (c *Context) decode(b []byte) {
	for _, p := range c.places() {
		v := part(b, p.at, p.size)
		switch {
		case p.text != nil:
			*p.text = text(v)
		case p.u64 != nil:
			*p.u64 = number(v)
		default:
			*p.u32 = uint32(number(v))
		}
	}
}

// part returns the bytes [at, at+size) of b, as far as b goes.
func part(b []byte, at, size int) []byte {
	at = min(at, len(b))
	return b[at:min(at+size, len(b))]
}

// number reads up to eight bytes as a little-endian integer.
func number(b []byte) (v uint64) {
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	return v
}

// encode fills the ContextSize bytes of b, which are zero.
func (c *Context) encode(b []byte) {
	for _, p := range c.places() {
		switch {
		case p.text != nil:
			copy(b[p.at:p.at+p.size], *p.text)
		case p.u64 != nil:
			le.PutUint64(b[p.at:], *p.u64)
		default:
			le.PutUint32(b[p.at:], *p.u32)
		}
	}
}

// fits returns the name of a text that is too long for its place, or "".
func (c *Context) fits() string {
	for _, p := range c.places() {
		if p.text != nil && len(*p.text) > p.size {
			return p.name
		}
	}
	return ""
}
