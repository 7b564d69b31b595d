package vexf

import "github.com/vexfs/vexctl/internal/format"

type object = map[string]any

// goldenJSON renders a log under the names of the golden files.
func goldenJSON(l *Log) object {
	out := object{"format": []string{1: "vexf1", 2: "vexf2"}[l.Version],
		"transactions": each(l.Transactions, txnJSON),
		"orphan_data":  each(l.OrphanData, dataJSON),
		"revocations": each(l.Revocations, func(r LoggedRevocation) object {
			return object{"block": r.Block, "sequence": r.Sequence, "blocks": r.Blocks}
		}),
		"checkpoints": each(l.Checkpoints, func(c LoggedCheckpoint) object {
			return object{"block": c.Block, "sequence": c.Sequence, "checkpoint_id": c.ID, "last_committed": c.LastCommitted,
				"active_transactions": c.Active, "timestamp": c.Timestamp, "sha256_state": c.SHA256State}
		}),
		"barriers": each(l.Barriers, func(b LoggedBarrier) object {
			return object{"block": b.Block, "sequence": b.Sequence, "barrier_id": b.ID, "barrier_type": b.Kind,
				"wait_count": b.WaitCount, "timeout": b.Timeout, "sha256_state": b.SHA256State}
		}),
		"replay": each(l.Replay, func(s ReplayStep) object {
			return object{"transaction_id": s.TransactionID, "target": s.Target, "journal_block": s.Journal.Block,
				"bytes": s.Bytes, "revoked": s.Revoked}
		}),
		"findings": each(l.Findings, findingJSON),
	}
	if l.Superblock != nil {
		out["superblock"] = superblockJSON(l.Superblock)
	}
	if l.Window != nil {
		out["log"] = object{"first_sequence": l.Window.First, "last_sequence": l.Window.Last, "lapped": l.Window.Lapped}
	}
	return out
}

func each[T any](in []T, f func(T) object) []object {
	out := make([]object, len(in))
	for i, x := range in {
		out[i] = f(x)
	}
	return out
}

func txnJSON(t Transaction) object {
	o := object{"transaction_id": t.ID, "state": t.State}
	if d := t.Descriptor; d != nil {
		o["descriptor_block"], o["descriptor_sequence"] = t.DescriptorAt.Block, t.DescriptorAt.Sequence
		o["operation_type"], o["timestamp"], o["uid"], o["gid"] = d.OperationType, d.Timestamp, d.UID, d.GID
		o["block_count"], o["blocks"] = d.BlockCount, d.Blocks
		o["data"], o["data_suspect"] = each(t.Data, dataJSON), t.DataSuspect
	}
	if c := t.Commit; c != nil {
		o["commit_block"], o["commit_sequence"], o["commit_time"] = t.CommitAt.Block, t.CommitAt.Sequence, c.Time
		if t.Descriptor == nil {
			o["block_count"] = c.BlockCount
		}
	}
	return o
}

func dataJSON(d LoggedBlock) object {
	return object{"block": d.Block, "sequence": d.Sequence, "original_block": d.OriginalBlock,
		"data_size": d.DataSize, "stored": d.Stored, "sha256_state": d.SHA256State}
}

func findingJSON(f format.Fault) object {
	o := object{"code": f.Code, "severity": severity(f.Code).String()}
	for _, x := range f.Fields {
		o[x.Name] = x.U
	}
	return o
}

func superblockJSON(sb *Superblock) object {
	o := object{"version_major": sb.VersionMajor, "version_minor": sb.VersionMinor, "flags": sb.Flags,
		"start_block": sb.StartBlock, "total_blocks": sb.TotalBlocks, "block_size": sb.BlockSize,
		"max_trans_blocks": sb.MaxTransBlocks, "head": sb.Head, "tail": sb.Tail, "sequence": sb.Sequence,
		"commit_sequence": sb.CommitSequence, "commit_interval": sb.CommitInterval, "sync_mode": sb.SyncMode,
		"checksum_type": sb.ChecksumType, "features": sb.Features, "total_commits": sb.TotalCommits,
		"total_aborts": sb.TotalAborts, "recovery_count": sb.RecoveryCount, "last_recovery_time": sb.LastRecoveryTime,
		"checksum": sb.Checksum, "checksum_state": sb.ChecksumState, "implied_previous_checksum": sb.ImpliedPrevious,
		"sha256_state": sb.SHA256State}
	if e := sb.Extension; e != nil {
		o["journal_mode"], o["checksum_algorithm"], o["concurrent_trans"] = e.JournalMode, e.ChecksumAlgorithm, e.ConcurrentTrans
		o["commit_threads"], o["buffer_size"], o["checkpoint_interval"] = e.CommitThreads, e.BufferSize, e.CheckpointInterval
		o["barrier_timeout"], o["recovery_threads"], o["total_checkpoints"] = e.BarrierTimeout, e.RecoveryThreads, e.TotalCheckpoints
		o["total_barriers"], o["concurrent_peak"], o["recovery_time_total"] = e.TotalBarriers, e.ConcurrentPeak, e.RecoveryTimeTotal
		o["feature_flags"] = e.FeatureFlags
	}
	return o
}
