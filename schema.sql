-- mmprof's database, schema version 3. This file is the schema: it is built into mmprof and runs once, in one
-- transaction, when a database is made. Its text is the documentation: `mmprof sql 'SELECT sql FROM sqlite_schema'`.
--
-- Raw facts only; what is derived is a view below or computed by lib/stats. A column's unit is in its name:
--   _ns nanoseconds, _bytes bytes, _ms milliseconds; no unit: a plain count.
-- NULL means "not measured" or "does not apply"; 0 means that it was measured and was zero.
--
-- Counts above 2^63 - 1, which SQLite's signed INTEGER can't hold, are never clamped or wrapped: the column is NULL
-- and a row of `loss` of kind 'above_2^63' says the exact value in its detail.
--
-- The file's journal mode is WAL while mmprof writes to it and DELETE when the last writer has closed it, so that
-- a database at rest is one file that can be read from a directory without write permission.

PRAGMA application_id = 0x6d6d7072; -- "mmpr"
PRAGMA user_version = 3;

-- A set of facts about the machine; sets that are equal are stored once and shared by runs.
CREATE TABLE env (
	id INTEGER PRIMARY KEY,
	digest TEXT NOT NULL UNIQUE -- SHA-256 over the sorted keys and values
) STRICT;

CREATE TABLE env_fact (
	env_id INTEGER NOT NULL REFERENCES env(id) ON DELETE CASCADE,
	key TEXT NOT NULL,   -- dotted path, e.g. 'sysctl.vm.swappiness', 'cpu.model'
	value TEXT NOT NULL, -- as the kernel writes it, without the final newline
	PRIMARY KEY (env_id, key)
) STRICT, WITHOUT ROWID;

-- One execution of one workload under one system. The row is written before the workload starts.
CREATE TABLE run (
	id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again after a run is deleted
	uuid TEXT NOT NULL UNIQUE,	-- the same in every database that the run is copied to
	experiment TEXT,		-- shared by runs that belong together: one `record --runs N`, one plan
	name TEXT NOT NULL,		-- the workload's name
	system TEXT NOT NULL,		-- the memory-management system under test; 'none': the kernel as it is
	argv_json TEXT NOT NULL,	-- the workload's command: a JSON array of strings (bytes that are no UTF-8: U+FFFD)
	cwd TEXT,			-- where it ran
	user TEXT,			-- as whom it ran
	boot_id TEXT,			-- /proc/sys/kernel/random/boot_id when it started
	mmprof_pid INTEGER,		-- mmprof's process id,
	mmprof_start_ticks INTEGER,	-- ... and its start time (field 22 of /proc/PID/stat): together they tell a dead
					-- mmprof from a living one
	version TEXT,			-- mmprof's version
	iteration INTEGER NOT NULL,	-- 1.. within --runs; 0 for a warm-up
	warmup INTEGER NOT NULL CHECK (warmup IN (0, 1)), -- 1: a warm-up, to be left out of comparisons
	status TEXT NOT NULL CHECK (status IN ('running', 'done', 'interrupted', 'timeout', 'failed', 'crashed')),
					-- crashed: mmprof or the machine died during the run
	status_why TEXT,		-- the reason for anything but running and done
	started_unix_ns INTEGER NOT NULL, -- wall-clock time of the start
	interval_ms INTEGER NOT NULL,	-- how often samplers read
	env_id INTEGER REFERENCES env(id), -- the machine's facts
	-- from here on: known at the end; all NULL when the workload never ran or mmprof died
	elapsed_ns INTEGER,		-- from the workload's start to its end
	exit_status INTEGER,		-- the workload's, when it exited by itself
	signal INTEGER,			-- the signal that ended it, when one did
	user_ns INTEGER,		-- CPU time of the workload and the children it waited for (rusage)
	system_ns INTEGER,
	maxrss_bytes INTEGER,		-- the largest resident set of any one of its processes; NULL also where it was no
					-- larger than mmprof's own, which Linux counts for it: see not_measured
	minflt INTEGER,			-- page faults without I/O
	majflt INTEGER,			-- page faults with I/O
	nvcsw INTEGER,			-- voluntary context switches
	nivcsw INTEGER,			-- involuntary context switches
	inblock INTEGER,		-- reads from disk, in blocks of 512 bytes
	oublock INTEGER,		-- writes to disk, in blocks of 512 bytes
	self_user_ns INTEGER,		-- mmprof's own CPU time during the run
	self_system_ns INTEGER,
	self_maxrss_bytes INTEGER,	-- mmprof's own largest resident set
	bpf_ns INTEGER,			-- time spent in mmprof's BPF programs
	bpf_ns_source TEXT,		-- how bpf_ns was had, or why it was not
	cell INTEGER			-- which cell of its experiment's plan it is, or came before as a warm-up, from 1; NULL: of no plan
) STRICT;
CREATE INDEX run_by_experiment ON run (experiment, iteration);

-- A plan that `mmprof run` executes; its runs have its name in run.experiment.
CREATE TABLE experiment (
	name TEXT PRIMARY KEY,
	plan TEXT NOT NULL,	-- the plan file's text
	seed INTEGER NOT NULL,	-- of the order of its cells
	cells INTEGER NOT NULL CHECK (cells > 0),
	created_unix_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people said about a run later: `mmprof note`.
CREATE TABLE note (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	unix_ns INTEGER NOT NULL,
	text TEXT NOT NULL
) STRICT;
CREATE INDEX note_by_run ON note (run_id);

-- Figures that the workload itself gave: `record --extract NAME=REGEX`.
CREATE TABLE metric (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	value REAL NOT NULL,
	unit TEXT,		-- as the user named it
	better TEXT NOT NULL CHECK (better IN ('less', 'more', 'neither')),
	source TEXT NOT NULL,	-- how it was had: the regular expression
	PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

-- Moments that the workload named as it went: `record --mark REGEX`. A phase lasts until the next one.
CREATE TABLE mark (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	t_ns INTEGER NOT NULL,	-- since the workload's start, when mmprof saw the line
	name TEXT NOT NULL
) STRICT;
CREATE INDEX mark_by_run ON mark (run_id);

-- What the user said about a run: --tag KEY=VALUE.
CREATE TABLE run_tag (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (run_id, key)
) STRICT, WITHOUT ROWID;

-- Something attached to the kernel, or that should have been.
CREATE TABLE probe (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	name TEXT NOT NULL,	-- the catalogue's name
	kind TEXT NOT NULL,	-- 'func' (latency), 'tp' (counts), 'lock' (waits and holds), 'alias' (others stand for it)
	target TEXT,		-- the kernel symbol or tracepoint
	backend TEXT,		-- 'fentry', 'kprobe', 'ftrace', 'raw_tp', 'tp'; NULL: not attached
	status TEXT NOT NULL CHECK (status IN ('attached', 'absent', 'failed', 'alias')),
				-- absent: this kernel has none; failed: it could not be attached
	why TEXT,		-- the exact reason; of an attached one: why no better backend was used
	what TEXT,		-- what it measures
	sum_unit TEXT		-- unit of probe_count.sum, e.g. 'pages'
) STRICT;
CREATE INDEX probe_by_run ON probe (run_id);
CREATE INDEX probe_by_name ON probe (name, run_id);

-- A latency histogram of a probe. Its buckets are those of probes/hist.h: 16 to each power of two.
CREATE TABLE hist (
	probe_id INTEGER NOT NULL REFERENCES probe(id) ON DELETE CASCADE,
	part TEXT NOT NULL,	-- '' or which of the probe's times: 'read wait', 'write hold'...
	class TEXT NOT NULL,	-- whose time: 'workload', 'kswapd', ..., 'other' (probes/class.h)
	count INTEGER CHECK (count >= 0),
	sum_ns INTEGER CHECK (sum_ns >= 0),	-- exact, not from the buckets; so are min and max
	min_ns INTEGER CHECK (min_ns >= 0),
	max_ns INTEGER CHECK (max_ns >= 0),
	buckets BLOB NOT NULL,	-- pairs of LEB128 varints (7 bits a byte, lowest first, high bit: more follow), one
				-- for each bucket that is not empty, in rising order: the bucket's number less the
				-- pair before's (the first: the number itself), then its count. No pair: empty
	PRIMARY KEY (probe_id, part, class)
) STRICT, WITHOUT ROWID;
-- totals without the buckets, for comparisons over thousands of runs
CREATE INDEX hist_totals ON hist (probe_id, part, class, count, sum_ns, min_ns, max_ns);

-- Events counted by a probe, broken down by a key.
CREATE TABLE probe_count (
	probe_id INTEGER NOT NULL REFERENCES probe(id) ON DELETE CASCADE,
	part TEXT NOT NULL,	-- '' or which of the probe's counts: 'read trylock'...
	class TEXT NOT NULL,	-- as in hist
	key INTEGER NOT NULL,	-- what it is broken down by: a reason's number, a result...
	key_name TEXT,		-- its name, when it has one: 'remote shootdown', 'failed'
	count INTEGER CHECK (count >= 0),
	sum INTEGER,		-- sum of an argument over the events, in probe.sum_unit; NULL: none
	PRIMARY KEY (probe_id, part, class, key)
) STRICT, WITHOUT ROWID;

-- The loss ledger: what is missing from the figures. A row with count 0 says that it was looked at.
CREATE TABLE loss (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	probe_id INTEGER REFERENCES probe(id) ON DELETE CASCADE, -- NULL: the run as a whole
	kind TEXT NOT NULL,	-- 'recursion_misses', 'unmatched_exit'...
	count INTEGER CHECK (count >= 0),
	detail TEXT		-- what that means
) STRICT;
CREATE UNIQUE INDEX loss_once ON loss (run_id, ifnull(probe_id, 0), kind);

-- What a backend itself costs, measured at the start of the run on an empty function.
CREATE TABLE calibration (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	backend TEXT NOT NULL,
	function TEXT NOT NULL,	-- the function it was measured on
	calls INTEGER,		-- how many calls of it
	inside_p50_ns REAL,	-- what the histogram sees of an empty call: part of every figure
	inside_mean_ns REAL,
	call_ns REAL,		-- what a probed call costs in all; NULL: not measured
	note TEXT,
	PRIMARY KEY (run_id, backend)
) STRICT, WITHOUT ROWID;

-- What this run could not measure, and exactly why.
CREATE TABLE not_measured (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	what TEXT NOT NULL,
	why TEXT NOT NULL,
	PRIMARY KEY (run_id, what)
) STRICT, WITHOUT ROWID;

-- Kernel log lines that appeared during the run.
CREATE TABLE kernel_log (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	t_ns INTEGER NOT NULL,	-- since the workload's start, when it was read
	level INTEGER NOT NULL,	-- 0 emergency .. 4 warning
	text TEXT NOT NULL
) STRICT;
CREATE INDEX kernel_log_by_run ON kernel_log (run_id);

-- A time series of a run, e.g. 'vmstat.pgfault'.
CREATE TABLE series (
	id INTEGER PRIMARY KEY,
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	name TEXT NOT NULL,	-- dotted path, the same over kernels
	unit TEXT NOT NULL,	-- 'count', 'pages', 'bytes', 'ns', 'hz'...
	counter INTEGER NOT NULL CHECK (counter IN (0, 1)), -- 1: only grows, its difference counts; 0: a level
	UNIQUE (run_id, name)
) STRICT;
CREATE INDEX series_by_name ON series (name, run_id); -- for comparisons over thousands of runs

-- Its values. A value holds until the next row: only changes are stored, and the last reading.
CREATE TABLE sample (
	series_id INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
	t_ns INTEGER NOT NULL,	-- since the workload's start; negative: before it
	value INTEGER NOT NULL,	-- in series.unit
	PRIMARY KEY (series_id, t_ns)
) STRICT, WITHOUT ROWID;

-- Where the workload's pages were: /proc/PID/pagemap as `record` read it, in the lab with --truth only.
CREATE TABLE pagemap (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	t_ns INTEGER NOT NULL,		-- since the workload's start, when reading began
	pid INTEGER NOT NULL,
	took_ns INTEGER NOT NULL,	-- how long reading took
	pages BLOB NOT NULL,		-- LEB128 varints, three to each run of pages whose frames follow each other: pages
					-- between it and the run before, its length, and its first frame less the frame
					-- after the run before's last (0, -1, 1, ... as 0, 1, 2, ...)
	PRIMARY KEY (run_id, t_ns, pid)
) STRICT, WITHOUT ROWID;

-- Exact accesses that the lab's emulator saw, joined to a run: `mmprof truth import`.
CREATE TABLE truth (
	run_id INTEGER PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE,
	interval_ns INTEGER NOT NULL,	-- of the emulator's counts
	window_ns INTEGER NOT NULL,	-- of truth_window, which are made of them
	clock_error_ns INTEGER NOT NULL,-- how far the guest's clock and the emulator's went apart during the run, at most
	heat TEXT NOT NULL CHECK (heat IN ('fills', 'accesses')) -- what makes a page hot: lines that missed the
					-- modelled cache, or, without one, any access
) STRICT;

CREATE TABLE truth_window (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	t_ns INTEGER NOT NULL,		-- since the workload's start
	end_ns INTEGER NOT NULL,
	reads INTEGER NOT NULL,		-- of the whole guest
	writes INTEGER NOT NULL,
	accesses INTEGER NOT NULL,	-- of the workload's pages
	fast INTEGER NOT NULL,		-- heat of them that each tier served
	slow INTEGER NOT NULL,
	doubt INTEGER NOT NULL,		-- heat of frames that were the workload's in one of the snapshots around only
	pages BLOB NOT NULL,		-- LEB128 varints, six to a page: pid less the page before's, virtual page number
					-- less the page before's (of a new pid: itself), reads, writes, heat served by the
					-- fast tier, by the slow one
	PRIMARY KEY (run_id, t_ns)
) STRICT, WITHOUT ROWID;

-- How hot a sampler took the workload's pages for at a moment, in its own measure.
CREATE TABLE page_view (
	run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
	name TEXT NOT NULL,	-- the sampler's
	t_ns INTEGER NOT NULL,
	pages BLOB NOT NULL,	-- LEB128 varints, three to a page: pid and page as in truth_window, score
	PRIMARY KEY (run_id, name, t_ns)
) STRICT, WITHOUT ROWID;

-- One line a run, for people.
CREATE VIEW v_run AS
SELECT id, substr(uuid, 1, 8) AS uuid8, datetime(started_unix_ns / 1000000000, 'unixepoch') AS started_utc, name, system,
	iteration, warmup, status, status_why, elapsed_ns, user_ns, system_ns, exit_status, signal, maxrss_bytes, minflt,
	majflt, experiment, env_id
FROM run;

-- Facts of the machine by run.
CREATE VIEW v_fact AS
SELECT r.id AS run_id, f.key, f.value FROM run r JOIN env_fact f ON f.env_id = r.env_id;

-- One line for each latency histogram: count, total and mean. Percentiles: `mmprof report`.
CREATE VIEW v_latency AS
SELECT p.run_id, p.name AS probe, h.part, h.class, p.backend, h.count,
	1e9 * h.count / r.elapsed_ns AS rate_per_s, h.sum_ns, 1.0 * h.sum_ns / nullif(h.count, 0) AS mean_ns, h.min_ns, h.max_ns
FROM hist h JOIN probe p ON p.id = h.probe_id JOIN run r ON r.id = p.run_id;

-- One line for each counted event.
CREATE VIEW v_count AS
SELECT p.run_id, p.name AS probe, c.part, c.class, c.key, c.key_name, c.count,
	1e9 * c.count / r.elapsed_ns AS rate_per_s, c.sum, p.sum_unit
FROM probe_count c JOIN probe p ON p.id = c.probe_id JOIN run r ON r.id = p.run_id;

-- First, last and extreme values of every series.
CREATE VIEW v_series AS
SELECT s.run_id, s.id AS series_id, s.name, s.unit, s.counter,
	(SELECT value FROM sample WHERE series_id = s.id ORDER BY t_ns LIMIT 1) AS first,
	(SELECT value FROM sample WHERE series_id = s.id ORDER BY t_ns DESC LIMIT 1) AS last,
	(SELECT min(value) FROM sample WHERE series_id = s.id) AS least,
	(SELECT max(value) FROM sample WHERE series_id = s.id) AS most,
	(SELECT count(*) FROM sample WHERE series_id = s.id) AS samples
FROM series s;

-- How far each counter went during its run.
CREATE VIEW v_counter_delta AS
SELECT v.run_id, v.name, v.unit, v.last - v.first AS delta, 1e9 * (v.last - v.first) / r.elapsed_ns AS rate_per_s
FROM v_series v JOIN run r ON r.id = v.run_id WHERE v.counter = 1;

-- Every sample with its series' name.
CREATE VIEW v_sample AS
SELECT s.run_id, s.name, s.unit, s.counter, x.t_ns, x.value FROM sample x JOIN series s ON s.id = x.series_id;
