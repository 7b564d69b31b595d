package semj

// stamp is what a link's end is checked for: that an event exists, and when.
type stamp struct {
	id    uint64
	ktime int64
}

func stampOf(b []byte) stamp { return stamp{le.Uint64(b[evID:]), int64(le.Uint64(b[evKTime:]))} }
