-- SPDX-License-Identifier: BSD-2-Clause
-- What perfetto_check.py asks the trace processor, for perfetto_query.mjs.

-- name: stats
SELECT name, idx, severity, source, value, description FROM stats WHERE value != 0;

-- name: slices
SELECT s.id, s.ts, s.dur, s.depth, s.name, s.category, t.tid, p.pid,
	EXTRACT_ARG(s.arg_set_id, 'args.cpu') AS cpu,
	EXTRACT_ARG(s.arg_set_id, 'args.tid') AS arg_tid
FROM slice s
	LEFT JOIN thread_track tt ON s.track_id = tt.id
	LEFT JOIN thread t USING (utid)
	LEFT JOIN process p USING (upid)
ORDER BY s.ts, s.id;

-- name: sched
SELECT s.ts, s.dur, s.cpu, t.tid FROM sched s JOIN thread t USING (utid) ORDER BY s.ts, s.id;

-- name: states
SELECT s.ts, s.dur, s.cpu, s.state, t.tid
FROM thread_state s JOIN thread t USING (utid)
ORDER BY s.ts, s.id;

-- name: flows
SELECT f.slice_out, f.slice_in, EXTRACT_ARG(f.arg_set_id, 'name') AS name FROM flow f;

-- name: threads
SELECT t.tid, t.name, p.pid, p.name AS process, (t.utid IN (
	SELECT utid FROM thread_track tt JOIN slice s ON s.track_id = tt.id
	UNION SELECT utid FROM thread_state)) AS used
FROM thread t LEFT JOIN process p USING (upid);
