// A figure from beginning to end; see plot.h and internal.h.
#include "base/outfile.h"
#include "plot/frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

// --- words of the command line

static int parse_word(const char *what, const char *const *words, int n, const char *word, int *value)
{
	g_autofree char *all = g_strjoinv(", ", (char **)words);

	for (int i = 0; i < n; i++)
		if (!strcmp(words[i], word)) {
			*value = i;
			return 0;
		}
	return err_set(-EINVAL, "--%s \"%s\": %s", what, word, all);
}

int plot_format_parse(const char *word, enum plot_format *format)
{
	static const char *const words[] = {"pdf", "svg", "png", "tikz", "term", NULL};

	return parse_word("format", words, 5, word, (int *)format);
}

int plot_style_parse(const char *word, enum plot_style *style)
{
	static const char *const words[] = {"paper", "slide", "dark", NULL};

	return parse_word("style", words, 3, word, (int *)style);
}

int plot_width_parse(const char *word, enum plot_width *width)
{
	static const char *const words[] = {"auto", "single", "double", NULL};

	return parse_word("width", words, 3, word, (int *)width);
}

// --- which runs

static int only_run(struct plot *p, const struct store_run_row *run)
{
	struct selection *s = p->selection;

	for (guint i = s->runs->len; i-- > 0;) {
		if (g_array_index(s->runs, struct store_run_row, i).id == run->id)
			continue;
		g_array_remove_index(s->runs, i);
		g_array_remove_index(s->places, i);
	}
	for (guint i = 0; !s->runs->len && i < s->left_out->len; i++) {
		const struct selection_out *out = &g_array_index(s->left_out, struct selection_out, i);

		if (out->run == run->id)
			return err_set(-EINVAL, "run %" PRId64 " does not count: %s", run->id, out->why);
	}
	g_array_set_size(s->left_out, 0);
	return 0;
}

static int select_runs(struct plot *p)
{
	const struct plot_options *o = p->options;
	struct selection_options only = o->selection;
	struct store_run_row run = {};
	const char *systems[2] = {}, *workloads[2] = {};
	int rc;

	if (o->run) {
		rc = store_find_run(p->store, o->run, &run);
		if (rc)
			return rc;
		systems[0] = run.system;
		workloads[0] = run.name;
		only = (struct selection_options){.systems = systems,
						  .workloads = workloads,
						  .experiment = run.experiment,
						  .any_exit = TRUE};
	}
	rc = selection_make(p->store, o->run ? &only : &o->selection, &p->selection);
	if (!rc && o->run)
		rc = only_run(p, &run);
	if (!rc && !p->selection->runs->len)
		rc = err_set(-ENODATA, "no completed run is selected");
	return rc;
}

// --- its data

void plot_remark(struct plot *p, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	if (g_ptr_array_find_with_equal_func(p->remarks, text, g_str_equal, NULL))
		g_free(text);
	else
		g_ptr_array_add(p->remarks, text);
}

int plot_no_data(const struct plot *p, const char *what)
{
	return what ? err_set(-ENODATA, "no selected run has %s", what)
		    : err_set(-ENODATA, "no selected run has data for it; needed: %s", p->template->needs);
}

static void add_file(struct plot *p, char *name, GString *text)
{
	struct plot_file *file = g_new0(struct plot_file, 1);

	*file = (struct plot_file){name, text};
	g_ptr_array_add(p->files, file);
}

static void free_file(void *p)
{
	struct plot_file *file = p;

	g_free(file->name);
	g_string_free(file->text, TRUE);
	g_free(file);
}

static int fill_one(struct plot *p, const struct template_data *d)
{
	const struct plot_source *s = plot_sources;
	struct table *table = NULL;
	char *name;
	int rc;

	while (strcmp(s->name, d->source))
		s++;
	rc = s->fill(p, d, &table);
	if (!rc) {
		name = p->template->data->len == 1 ? g_strdup_printf("%s.tsv", p->template->name)
						   : g_strdup_printf("%s-%s.tsv", p->template->name, d->name);
		g_string_append_printf(p->vars, "%s = ", d->name);
		text_quote(p->vars, name);
		g_string_append_c(p->vars, '\n');
		add_file(p, name, g_steal_pointer(&table->text));
	}
	if (table && table->text)
		table_free(table);
	else
		g_free(table);
	return rc;
}

static void name_panels(struct plot *p)
{
	g_auto(GStrv) titles = g_strsplit(p->template->panels ?: "", ";", -1);

	for (char **title = titles; *title && **titles; title++)
		g_ptr_array_add(p->panels, (void *)g_intern_string(g_strstrip(*title)));
}

static int fill(struct plot *p)
{
	int rc = 0;

	name_panels(p);

	for (guint i = 0; i < p->template->data->len && !rc; i++)
		rc = fill_one(p, &g_array_index(p->template->data, struct template_data, i));
	if (rc)
		return rc;
	if (p->panels->len > MOST_PANELS)
		return err_set(-ENODATA, TOO_MANY_PANELS, p->panels->len);
	frame_say_absent(p);
	kinds_mark(p);
	layout_make(p);
	return 0;
}

static void clear(struct plot *p)
{
	if (p->template)
		template_free(p->template);
	selection_free(p->selection);
	g_string_free(p->vars, TRUE);
	g_free(p->y_title);
	g_free(p->y_base);
	g_ptr_array_unref(p->files);
	g_ptr_array_unref(p->remarks);
	g_ptr_array_unref(p->lines);
	g_ptr_array_unref(p->groups);
	g_ptr_array_unref(p->slots);
	g_array_unref(p->absent);
	g_string_chunk_free(p->strings);
	g_ptr_array_unref(p->panels);
}

static int make(struct store *store, const struct plot_options *o, const char *figure, struct plot *p)
{
	int rc;

	*p = (struct plot){.store = store, .options = o, .vars = g_string_new(NULL)};
	p->files = g_ptr_array_new_with_free_func(free_file);
	p->remarks = g_ptr_array_new_with_free_func(g_free);
	p->lines = g_ptr_array_new();
	p->groups = g_ptr_array_new();
	p->slots = g_ptr_array_new();
	p->absent = g_array_new(FALSE, FALSE, sizeof(guint));
	p->strings = g_string_chunk_new(256);
	p->panels = g_ptr_array_new();
	rc = template_find(figure, &p->template);
	if (rc)
		return rc;
	p->metric = o->metric ?: p->template->metric ?: "elapsed";
	p->probe = o->probe ?: p->template->probe;
	p->class = o->class ?: p->template->class ?: "workload";
	p->series = o->series ?: p->template->series;
	rc = select_runs(p);
	if (!rc)
		rc = fill(p);
	return rc ? err_add(rc, "%s", p->template->name) : 0;
}

// --- drawing

// In a private directory, of which nothing stays.
static int draw(struct plot *p, const char *picture, char **printed, char **scratch)
{
	g_autofree char *script = g_strdup_printf("%s.gp", p->template->name);
	GString *text = g_string_new(NULL);
	int rc = scratch_make(scratch);

	for (guint i = 0; i < p->files->len && !rc; i++) {
		struct plot_file *file = p->files->pdata[i];

		rc = scratch_write(*scratch, file->name, file->text);
	}
	script_write(p, text, picture);
	if (!rc)
		rc = scratch_write(*scratch, script, text);
	if (!rc)
		rc = gnuplot_run(*scratch, script, printed);
	add_file(p, g_steal_pointer(&script), text);
	return rc ? err_add(rc, "%s", p->template->name) : 0;
}

static int deliver_one(const char *out, const char *name, const char *data, size_t len)
{
	g_autofree char *path = g_build_filename(out, name, NULL);

	return outfile_write(path, data, len);
}

static int deliver(struct plot *p, const char *out, const char *scratch, const char *picture)
{
	g_autofree char *from = g_build_filename(scratch, picture, NULL), *data = NULL;
	gsize len;
	int rc = 0;

	if (!g_file_get_contents(from, &data, &len, NULL))
		return err_set(-EIO, "gnuplot wrote no %s", picture);
	add_file(p, g_strdup_printf("%s.txt", p->template->name), caption_make(p));
	for (guint i = 0; i < p->files->len && !rc; i++) {
		struct plot_file *file = p->files->pdata[i];

		rc = deliver_one(out, file->name, file->text->str, file->text->len);
	}
	return rc ? rc : deliver_one(out, picture, data, len);
}

// The template itself must not be replaced by what is made from it.
static int check_out(const char *figure, const char *name, const char *out)
{
	g_autofree char *file = g_strdup_printf("%s/%s.gp", out, name);
	struct stat a, b;

	if (!g_file_test(out, G_FILE_TEST_IS_DIR))
		return err_set(-ENOTDIR, "--out %s: there is no such directory", out);
	if (template_embedded(figure) || stat(figure, &a) || stat(file, &b))
		return 0;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino
		   ? err_set(-EEXIST, "%s would be written over: give another directory with --out", file)
		   : 0;
}

// gnuplot pads each line and begins each plot with a form feed.
static void print_lines(char *text)
{
	g_auto(GStrv) lines = g_strsplit(g_strdelimit(text, "\f", ' '), "\n", -1);

	for (char **line = lines; *line && (*line[0] || line[1]); line++)
		printf("%s\n", g_strchomp(*line));
}

int plot_draw(struct store *store, const struct plot_options *o, const char *figure, char **made)
{
	const char *out = o->out ?: ".";
	g_autofree char *picture = NULL, *printed = NULL;
	char *scratch = NULL;
	struct plot p;
	int rc = make(store, o, figure, &p);

	*made = NULL;
	if (!rc && o->format != PLOT_TERM)
		rc = check_out(figure, p.template->name, out);
	if (!rc) {
		picture = g_strdup_printf("%s.%s", p.template->name, format_ending(o->format));
		rc = draw(&p, o->format == PLOT_TERM ? NULL : picture, &printed, &scratch);
	}
	if (!rc && o->format == PLOT_TERM)
		print_lines(printed);
	else if (!rc)
		rc = deliver(&p, out, scratch, picture);
	if (!rc && o->format != PLOT_TERM)
		*made = g_build_filename(out, picture, NULL);
	scratch_remove(scratch);
	clear(&p);
	return rc;
}

int plot_svg(struct store *store, const struct plot_options *options, const char *figure, char **svg)
{
	struct plot_options o = *options;
	char *scratch = NULL;
	struct plot p;
	int rc;

	o.format = PLOT_SVG;
	rc = make(store, &o, figure, &p);
	if (!rc)
		rc = draw(&p, NULL, svg, &scratch);
	scratch_remove(scratch);
	clear(&p);
	return rc;
}
