// Reads a plan with libinih, which tells neither line numbers nor empty sections: the lines go through our
// own reader, which counts them and sees the headings; see plan.h.
#include "run/plan.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "run/matrix.h"
#include "run/plan_keys.h"
#include "system/system.h"

#define MAX_LINE 65536
#define MAX_FILE (1 << 20)
#define COLON '\1' // stands for ':' in a key, which libinih would end the key at

struct parser {
	struct plan *plan;
	const char *rest; // what is still to be read
	int line, rc;
	const struct plan_section_kind *kind; // of the section that we are in; NULL before the first
	struct plan_section *section;         // its struct, whatever it is
	GArray *settings;                     // NULL: takes none
	GHashTable *headings;                 // "system nb0" → line
};

int plan_error(int code, const char *path, int line, const char *fmt, ...)
{
	g_autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	return err_set(code, "%s:%d: %s", path, line, text);
}

#define wrong(p, ...) ((p)->rc = plan_error(-EINVAL, (p)->plan->path, (p)->line, __VA_ARGS__))

int plan_line(const struct plan_section *section, const char *key)
{
	int line = GPOINTER_TO_INT(g_hash_table_lookup(section->lines, key));

	return line ? line : section->line;
}

// --- sections

static void section_init(struct plan_section *s, int line)
{
	s->line = line;
	s->lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

static GArray *new_settings(void)
{
	GArray *settings = g_array_new(FALSE, TRUE, sizeof(struct setting));

	g_array_set_clear_func(settings, (GDestroyNotify)setting_clear);
	return settings;
}

static struct plan_system *add_system(struct plan *plan, const char *name, int line)
{
	struct plan_system *s = g_new0(struct plan_system, 1);

	section_init(&s->section, line);
	s->name = g_strdup(name);
	s->settings = new_settings();
	g_ptr_array_add(plan->systems, s);
	return s;
}

static struct plan_workload *add_workload(struct plan *plan, const char *name, int line)
{
	struct plan_workload *w = g_new0(struct plan_workload, 1);

	section_init(&w->section, line);
	w->name = g_strdup(name);
	g_ptr_array_add(plan->workloads, w);
	return w;
}

static void enter(struct parser *p, const char *name)
{
	struct plan *plan = p->plan;

	p->section = &plan->section;
	p->settings = p->kind->settings ? plan->settings : NULL;
	if (!strcmp(p->kind->name, "system")) {
		struct plan_system *s = add_system(plan, name, p->line);

		p->section = &s->section;
		p->settings = s->settings;
	} else if (!strcmp(p->kind->name, "workload")) {
		p->section = &add_workload(plan, name, p->line)->section;
	} else if (!strcmp(p->kind->name, "experiment")) {
		plan->section.line = p->line;
	}
}

// "[KIND]" or "[KIND NAME]", without the brackets.
static int heading(struct parser *p, char *text)
{
	char *name = strpbrk(g_strstrip(text), " \t");
	g_autofree char *hint = NULL, *key = NULL;
	int before;

	if (name)
		*name++ = 0;
	name = name ? g_strstrip(name) : "";
	p->kind = plan_section_kind(text);
	if (!p->kind) {
		hint = plan_suggest_section(text);
		return wrong(p, "unknown section [%s]%s", text, hint);
	}
	if (p->kind->named != (*name != 0))
		return p->kind->named ? wrong(p, "[%s] needs a name: [%s NAME]", text, text)
				      : wrong(p, "[%s] takes no name", text);
	key = g_strdup_printf("%s %s", text, name);
	before = GPOINTER_TO_INT(g_hash_table_lookup(p->headings, key));
	if (before)
		return wrong(p, "[%s] is in line %d already", g_strchomp(key), before);
	g_hash_table_insert(p->headings, g_steal_pointer(&key), GINT_TO_POINTER(p->line));
	enter(p, name);
	return 0;
}

// --- keys

static int add_setting(struct parser *p, const char *key, const char *value)
{
	struct setting s = {.line = p->line};

	if (setting_path(key, &s.path))
		return wrong(p, "%s", err_text());
	for (guint i = 0; i < p->settings->len; i++) {
		const struct setting *other = &g_array_index(p->settings, struct setting, i);

		if (!strcmp(other->path, s.path)) {
			g_free(s.path);
			return wrong(p, "%s is set in line %d already", key, other->line);
		}
	}
	s.key = g_strdup(key);
	s.value = g_strdup(value);
	g_array_append_val(p->settings, s);
	return *value ? 0 : wrong(p, "%s is empty; give it a value or leave the line out", key);
}

static int unknown_key(struct parser *p, const char *key)
{
	g_autofree char *hint = plan_suggest_key(p->kind, key);

	if (setting_is_key(key))
		return wrong(p, "settings belong into [settings] or [system NAME], not into [%s]",
			     p->kind->name);
	return wrong(p, "unknown key \"%s\" in [%s]%s", key, p->kind->name, hint);
}

static int set(struct parser *p, const char *name, const char *value)
{
	const struct plan_key *key;
	int before;

	if (!p->kind)
		return wrong(p, "\"%s\" is in no section; begin with [experiment]", name);
	if (p->settings && setting_is_key(name))
		return add_setting(p, name, value);
	key = plan_key(p->kind, name);
	if (!key)
		return unknown_key(p, name);
	before = GPOINTER_TO_INT(g_hash_table_lookup(p->section->lines, name));
	if (before && key->kind != KEY_WORDS && key->kind != KEY_ENTRIES)
		return wrong(p, "%s is in line %d already", name, before);
	if (!before)
		g_hash_table_insert(p->section->lines, g_strdup(name), GINT_TO_POINTER(p->line));
	return plan_key_read(key, p->section, value) ? wrong(p, "%s", err_text()) : 0;
}

// A comment begins with a ';' after a space; in a command not within quotes.
static void cut_comment(char *value, bool quotes)
{
	bool space = true;
	char quote = 0;

	for (char *c = value; *c; c++) {
		if (*c == ';' && space && !quote) {
			*c = 0;
			break;
		}
		space = g_ascii_isspace(*c);
		if (quotes && *c == '\\' && quote != '\'' && c[1])
			c++;
		else if (quotes && (*c == '"' || *c == '\'') && (!quote || quote == *c))
			quote = quote ? 0 : *c;
	}
	g_strchomp(value);
}

// libinih's handler: 0 stops it.
static int on_pair(void *ctx, const char *section, const char *name, const char *value)
{
	struct parser *p = ctx;
	g_autofree char *key = g_strdelimit(g_strdup(name), (char[]){COLON, 0}, ':');
	g_autofree char *text = g_strdup(value);

	(void)section; // cut at 50 bytes; heading() has the whole
	cut_comment(text, !strcmp(key, "command"));
	return !p->rc && !set(p, key, text);
}

// --- lines

static void look_at(struct parser *p, char *line)
{
	char *first = line + strspn(line, " \t"), *end = strchr(line, *first == '[' ? ']' : '=');

	if (!end)
		return; // libinih will say that it is none of ours
	if (*first == '[') {
		g_autofree char *text = g_strndup(first + 1, (gsize)(end - first - 1));

		heading(p, text);
		return;
	}
	for (char *c = first; c < end; c++)
		if (*c == ':')
			*c = COLON;
}

static char *read_line(char *buffer, int size, void *ctx)
{
	struct parser *p = ctx;
	size_t n = strcspn(p->rest, "\n");

	if (p->rc || !*p->rest)
		return NULL;
	p->line++;
	if (n + 3 > (size_t)size) {
		wrong(p, "the line is longer than %d bytes", size - 3);
		return NULL;
	}
	memcpy(buffer, p->rest, n);
	buffer[n] = 0;
	p->rest += n + (p->rest[n] == '\n');
	look_at(p, buffer);
	return buffer;
}

static int parse(struct parser *p)
{
	int line;

	ini_use_stack = false;
	ini_max_line = ini_initial_alloc = MAX_LINE;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_stop_on_first_error = true;
	line = ini_parse_stream(read_line, p, on_pair, p);
	if (line < 0 && !p->rc)
		return err_set(-ENOMEM, "%s: out of memory", p->plan->path);
	p->line = line;
	return p->rc || !line ? p->rc : wrong(p, "not a [section], KEY = VALUE or ; comment");
}

// --- the whole

static int line_of(const char *text, const char *at)
{
	int line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

// What a system is set up with: what `use` says, else the known system of its name.
static int check_system(const struct plan *plan, struct plan_system *s)
{
	g_autofree char *name = s->use ? g_strndup(s->use, strcspn(s->use, ",")) : NULL;
	int line = plan_line(&s->section, "use");

	if (name && !system_find(name))
		return plan_error(-EINVAL, plan->path, line,
				  "there is no system \"%s\" (mmprof system lists them)", name);
	if (!s->use && !system_find(s->name))
		return 0;
	return system_spec_parse(s->use ? s->use : s->name, &s->spec)
		   ? plan_error(-EINVAL, plan->path, line, "%s", err_text())
		   : 0;
}

static int check_systems(const struct plan *plan)
{
	int rc = 0;

	for (guint i = 0; i < plan->systems->len && !rc; i++)
		rc = check_system(plan, plan->systems->pdata[i]);
	return rc;
}

static int check(struct plan *plan)
{
	const char *path = plan->path;

	if (!plan->name)
		return plan_error(-EINVAL, path, MAX(plan->section.line, 1),
				  "the experiment has no name; write name = NAME into [experiment]");
	if (!plan->workloads->len)
		return plan_error(-EINVAL, path, line_of(plan->text, plan->text + strlen(plan->text)),
				  "there is no workload; write a section [workload NAME] with command = "
				  "PROGRAM ARGUMENTS");
	for (guint i = 0; i < plan->workloads->len; i++) {
		const struct plan_workload *w = plan->workloads->pdata[i];

		if (!w->argv == !w->bench)
			return plan_error(
			    -EINVAL, path, w->section.line,
			    w->bench ? "workload %s has a command and a benchmark; leave one out"
				     : "workload %s has no command; write command = PROGRAM ARGUMENTS, or "
				       "bench = NAME",
			    w->name);
	}
	if (!plan->systems->len)
		add_system(plan, "none", 0);
	if ((double)plan->systems->len * plan->workloads->len * plan->runs > MATRIX_MAX_CELLS)
		return plan_error(-EINVAL, path, plan_line(&plan->section, "runs"),
				  "more than %d runs in all; lower runs", MATRIX_MAX_CELLS);
	return check_systems(plan);
}

// The order, too, is to depend on the plan's text only.
static int64_t seed_of(const char *text)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	uint8_t digest[32];
	gsize n = sizeof(digest);
	uint64_t seed = 0;

	g_checksum_update(sum, (const guchar *)text, -1);
	g_checksum_get_digest(sum, digest, &n);
	for (int i = 0; i < 8; i++)
		seed = seed << 8 | digest[i];
	return (int64_t)(seed >> 1);
}

static void system_free(void *system)
{
	struct plan_system *s = system;

	plan_keys_clear(plan_section_kind("system"), s);
	g_hash_table_unref(s->section.lines);
	g_array_unref(s->settings);
	system_spec_free(s->spec);
	g_free(s->name);
	g_free(s);
}

static void workload_section_free(void *workload)
{
	struct plan_workload *w = workload;

	plan_keys_clear(plan_section_kind("workload"), w);
	g_hash_table_unref(w->section.lines);
	g_free(w->name);
	g_free(w);
}

static struct plan *plan_new(const char *path, const char *text, size_t length)
{
	struct plan *plan = g_new0(struct plan, 1);

	plan->path = g_strdup(path);
	plan->text = g_strndup(text, length);
	plan->runs = 10;
	plan->warmup = 1;
	plan->interval_ms = 100;
	plan->sampling = 1;
	plan->seed = seed_of(plan->text);
	plan->settings = new_settings();
	plan->systems = g_ptr_array_new_with_free_func(system_free);
	plan->workloads = g_ptr_array_new_with_free_func(workload_section_free);
	section_init(&plan->section, 0);
	return plan;
}

int plan_parse(const char *path, const char *text, size_t length, struct plan **out)
{
	struct parser p = {.plan = plan_new(path, text, length)};
	const char *bad;
	int rc;

	p.rest = p.plan->text + (g_str_has_prefix(p.plan->text, "\xef\xbb\xbf") ? 3 : 0);
	p.headings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (g_utf8_validate(text, (gssize)length, &bad))
		rc = parse(&p);
	else
		rc = plan_error(-EINVAL, path, line_of(text, bad), "this is not text in UTF-8");
	if (!rc)
		rc = check(p.plan);
	g_hash_table_unref(p.headings);
	if (rc)
		plan_free(p.plan);
	else
		*out = p.plan;
	return rc;
}

int plan_read(const char *path, struct plan **plan)
{
	g_autofree char *text = g_malloc(MAX_FILE + 1);
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, MAX_FILE + 1, file) : 0;
	int rc = !file || ferror(file) ? err_set(-EINVAL, "can't read the plan %s: %m", path) : 0;

	if (file)
		fclose(file);
	if (!rc && length > MAX_FILE)
		rc = err_set(-EINVAL, "%s: too big for a plan", path);
	return rc ? rc : plan_parse(path, text, length, plan);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	plan_keys_clear(plan_section_kind("experiment"), plan);
	g_hash_table_unref(plan->section.lines);
	g_array_unref(plan->settings);
	g_ptr_array_unref(plan->systems);
	g_ptr_array_unref(plan->workloads);
	g_free(plan->path);
	g_free(plan->text);
	g_free(plan);
}
