// Writers for a run as a whole: its row, tags, facts and result.
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "store/internal.h"

static char *argv_json(const char *const *argv)
{
	json_t *array = json_array();
	char *text;

	for (const char *const *a = argv; a && *a; a++) {
		g_autofree char *valid = g_utf8_make_valid(*a, -1);

		json_array_append_new(array, json_string(valid));
	}
	text = json_dumps(array, JSON_COMPACT);
	json_decref(array);
	return text;
}

// A random UUID (RFC 9562, version 4) from the kernel: GLib's come from a generator that a fork would copy.
static int make_uuid(char uuid[37])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return err_set(-errno, "getrandom: %m");
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	g_snprintf(uuid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		   b[15]);
	return 0;
}

int store_run_begin(struct store *s, const struct store_run *info, int64_t *run)
{
	char *argv = argv_json(info->argv), uuid[37];
	int64_t pid = getpid();
	int rc = make_uuid(uuid);

	rc = rc
		 ?: STORE_DO(s,
			     "INSERT INTO run (uuid, experiment, name, system, argv_json, cwd, user, "
			     "boot_id, mmprof_pid,"
			     " mmprof_start_ticks, version, iteration, warmup, status, started_unix_ns, "
			     "interval_ms, cell)"
			     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, nullif(?, 0))",
			     v_text(uuid), v_text(info->experiment), v_text(info->name ? info->name : "?"),
			     v_text(info->system ? info->system : "none"), v_text(argv), v_text(info->cwd),
			     v_text(info->user), v_text(info->boot_id), v_int(pid),
			     v_int_or_null(store_process_start(pid)), v_text(info->version),
			     v_int(info->iteration), v_int(info->warmup), v_int(info->started_unix_ns),
			     v_int(info->interval_ms), v_int(info->cell));
	if (!rc)
		*run = sqlite3_last_insert_rowid(s->db);
	free(argv);
	return rc;
}

int store_run_tag(struct store *s, int64_t run, const char *key, const char *value)
{
	return STORE_DO(s, "INSERT OR REPLACE INTO run_tag VALUES (?, ?, ?)", v_int(run), v_text(key),
			v_text(value ? value : ""));
}

// --- facts

static int by_key(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

// Lengths are part of what is hashed, so that no two sets run together to the same bytes.
static char *digest(const GPtrArray *keys, GHashTable *facts)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	char *hex;

	for (guint i = 0; i < keys->len; i++) {
		const char *key = keys->pdata[i], *value = g_hash_table_lookup(facts, key);

		g_checksum_update(sum, (const guchar *)key, (gssize)strlen(key) + 1);
		g_checksum_update(sum, (const guchar *)value, (gssize)strlen(value) + 1);
	}
	hex = g_strdup(g_checksum_get_string(sum));
	g_checksum_free(sum);
	return hex;
}

static int insert_facts(struct store *s, const char *hex, const GPtrArray *keys, GHashTable *facts,
			int64_t *env)
{
	int rc = STORE_DO(s, "INSERT INTO env (digest) VALUES (?)", v_text(hex));

	*env = sqlite3_last_insert_rowid(s->db);
	for (guint i = 0; i < keys->len && !rc; i++)
		rc = STORE_DO(s, "INSERT INTO env_fact VALUES (?, ?, ?)", v_int(*env), v_text(keys->pdata[i]),
			      v_text(g_hash_table_lookup(facts, keys->pdata[i])));
	return rc;
}

static int use_facts(struct store *s, int64_t run, const GPtrArray *keys, GHashTable *facts)
{
	g_autofree char *hex = digest(keys, facts);
	const struct value by_digest = v_text(hex);
	int64_t env, before = 0;
	struct value of_run = v_int(run);
	int rc = store_get_int(s, "SELECT id FROM env WHERE digest = ?", &by_digest, 1, &env);

	if (rc == -ENOENT)
		rc = insert_facts(s, hex, keys, facts, &env);
	if (!rc)
		rc =
		    store_get_int(s, "SELECT coalesce(env_id, 0) FROM run WHERE id = ?", &of_run, 1, &before);
	if (!rc)
		rc = STORE_DO(s, "UPDATE run SET env_id = ?2 WHERE id = ?1", v_int(run), v_int(env));
	if (rc || !before || before == env)
		return rc;
	// it had others until now, perhaps as the only one
	return STORE_DO(s,
			"DELETE FROM env WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE env_id = ?1)",
			v_int(before));
}

int store_run_facts(struct store *s, int64_t run, const char *const *keys, const char *const *values,
		    size_t n)
{
	g_autoptr(GHashTable) facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GPtrArray) sorted = g_ptr_array_new();
	bool own = !s->later && sqlite3_get_autocommit(s->db);
	GHashTableIter iter;
	void *key;
	int rc = own ? store_begin(s) : 0;

	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++)
		g_hash_table_replace(facts, g_utf8_make_valid(keys[i], -1),
				     g_utf8_make_valid(values[i] ? values[i] : "", -1));
	g_hash_table_iter_init(&iter, facts);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		g_ptr_array_add(sorted, key);
	g_ptr_array_sort(sorted, by_key);
	rc = use_facts(s, run, sorted, facts);
	if (!rc && own)
		rc = store_commit(s);
	if (rc && own && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

// --- the result

// A figure of a workload that never ran is not zero but absent.
static struct value ran(const struct store_result *r, int64_t value)
{
	return r->elapsed_ns > 0 ? v_int_or_null(value) : (struct value){.type = SQLITE_NULL};
}

int store_run_end(struct store *s, int64_t run, const struct store_result *r)
{
	int rc = STORE_DO(
	    s,
	    "UPDATE run SET status = ?2, status_why = ?3, exit_status = ?4, signal = ?5, elapsed_ns = ?6, "
	    "user_ns = ?7,"
	    " system_ns = ?8, maxrss_bytes = ?9, minflt = ?10, majflt = ?11, nvcsw = ?12, nivcsw = ?13, "
	    "inblock = ?14,"
	    " oublock = ?15, self_user_ns = ?16, self_system_ns = ?17, self_maxrss_bytes = ?18, bpf_ns = ?19,"
	    " bpf_ns_source = ?20 WHERE id = ?1",
	    v_int(run), v_text(r->status), v_text(r->status_why), ran(r, r->exit_status),
	    ran(r, r->signal > 0 ? r->signal : -1), ran(r, r->elapsed_ns), ran(r, r->user_ns),
	    ran(r, r->system_ns), ran(r, r->maxrss_bytes), ran(r, r->minflt), ran(r, r->majflt),
	    ran(r, r->nvcsw), ran(r, r->nivcsw), ran(r, r->inblock), ran(r, r->oublock),
	    ran(r, r->self_user_ns), ran(r, r->self_system_ns), ran(r, r->self_maxrss_bytes),
	    v_int_or_null(r->bpf_ns), v_text(r->bpf_ns_source));

	if (!rc && sqlite3_changes(s->db) != 1)
		rc = err_set(-ENOENT, "%s: run %lld is not there", s->path, (long long)run);
	return rc ? rc : store_commit(s);
}
