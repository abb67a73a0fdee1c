// What a figure is made of: names as gnuplot and TeX get them, templates' headers, tables, units, time grids.
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "metric/metric.h"
#include "plot/internal.h"
#include "plot/parts.h"
#include "plot/resample.h"
#include "store/store.h"

#define assert_text(call, wanted)                                                                            \
	do {                                                                                                 \
		g_autofree char *text_ = call;                                                               \
		assert_string_equal(text_, wanted);                                                          \
	} while (0)

static char *quoted(const char *text)
{
	GString *out = g_string_new(NULL);

	text_quote(out, text);
	return g_string_free(out, FALSE);
}

static void test_quote(void **state)
{
	g_autoptr(GString) label = g_string_new(NULL);

	(void)state;
	assert_text(quoted(""), "''");
	assert_text(quoted("a b"), "'a b'");
	assert_text(quoted("`id` @x $1 {/S a} %s \\n"), "'`id` @x $1 {/S a} %s \\n'");
	assert_text(quoted("it's"), "'it'.\"'\".'s'");
	assert_text(quoted("''"), "''.\"'\".''.\"'\".''");
	assert_text(quoted("'; system(\"id\") #"), "''.\"'\".'; system(\"id\") #'");
	assert_text(quoted("a\nb"), "'a b'");
	text_quote_label(label, "100%s");
	assert_string_equal(label->str, "'100%%s'");
}

static void test_clean(void **state)
{
	(void)state;
	assert_text(text_clean("a\tb\nc\x1b[31m"), "a b c [31m");
	assert_text(text_clean("\u202eabc\u200b"), "abc");
	assert_text(text_clean("\n\t "), "(no name)");
	assert_text(text_clean("中文 ä"), "中文 ä");
	assert_text(text_clean("a\xff\xfe"), "a\ufffd\ufffd");
}

static void test_latex(void **state)
{
	(void)state;
	assert_text(text_latex("\\input{/etc/passwd}"), "\\textbackslash{}input\\{/etc/passwd\\}");
	assert_text(text_latex("50% of $x_1$ & #^~"),
		    "50\\% of \\$x\\_1\\$ \\& \\#\\textasciicircum{}\\textasciitilde{}");
	assert_text(text_latex("内存"), "内存");
}

static void test_shorten(void **state)
{
	static const char name[] = "workload-with-a-name-of-sixty-characters-that-goes-on-and-on";

	(void)state;
	assert_true(fabs(text_width("m") - 0.833) < 1e-9);
	assert_true(fabs(text_width("内存") - 2) < 1e-9);
	assert_text(text_shorten("short", 10), "short");
	for (double em = 2; em < 30; em += 0.5) {
		g_autofree char *text = text_shorten(name, em);

		assert_true(g_utf8_validate(text, -1, NULL));
		assert_true(text_width(text) <= fmax(em, 2));
		assert_true(strstr(text, "…") || !strcmp(text, name));
		assert_int_equal(text[0], 'w');
	}
	assert_text(text_shorten("内存页面迁移系统", 5), "内存页…统");
}

static void test_template(void **state)
{
	static const char text[] =
	    "# what: how many\n# Needs: a remark\n# needs: probes\n# part: a b = x.y + z*\n"
	    "# data rows: sql SELECT a\n#   FROM b\n# data c: cells relative\n"
	    "# height: 1.25\n# legend: boxes\nplot rows\n# what: not the header's\n";
	struct template *t = NULL;
	struct template_part *part;

	(void)state;
	assert_int_equal(template_parse("mine", text, &t), 0);
	assert_string_equal(t->what, "how many");
	assert_string_equal(t->needs, "probes");
	assert_int_equal(t->data->len, 2);
	assert_string_equal(g_array_index(t->data, struct template_data, 0).source, "sql");
	assert_string_equal(g_array_index(t->data, struct template_data, 0).args, "SELECT a FROM b");
	assert_string_equal(g_array_index(t->data, struct template_data, 1).args, "relative");
	part = &g_array_index(t->parts, struct template_part, 0);
	assert_string_equal(part->label, "a b");
	assert_string_equal(part->terms[0], "x.y");
	assert_string_equal(part->terms[1], "z*");
	assert_true(t->height == 1.25);
	assert_string_equal(t->body, text);
	template_free(t);
}

static void test_bad_template(void **state)
{
	static const char *const bad[][2] = {
	    {"plot x\n", "its first lines"},
	    {"# what: x\n", "its first lines"},
	    {"# what: x\n# data a: nonsense\n", "no source"},
	    {"# what: x\n# data a 1: cells\n", "letters"},
	    {"# what: x\n# data a: cells\n# height: 99\n", "line 3"},
	    {"# what: x\n# data a: cells\n# colour: red\n", "unknown key"},
	    {"# what: x\n# data a: cells\n# legend: round\n", "legend"},
	    {"# what: x\n# data a: cells\n# part: =", "LABEL"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		struct template *t = NULL;

		assert_int_equal(template_parse("bad", bad[i][0], &t), -EINVAL);
		if (!strstr(err_text(), bad[i][1]))
			fail_msg("%s", err_text());
	}
}

static void test_figures(void **state)
{
	int n = 0;

	(void)state;
	for (const struct plot_figure *f = plot_figures(); f->name; f++, n++) {
		struct template *t = NULL;

		assert_int_equal(template_find(f->name, &t), 0);
		assert_true(*f->what && *f->needs);
		template_free(t);
	}
	assert_true(n >= 15);
	assert_non_null(template_embedded("palette"));
}

static void test_table(void **state)
{
	struct table *t = table_new("a b name");

	(void)state;
	table_int(t, -3);
	table_real(t, NAN);
	table_text(t, "\"x\"\ty");
	table_end(t);
	table_gap(t, 2);
	table_real(t, 0.25);
	table_end(t);
	assert_string_equal(t->text->str, "a\tb\tname\n-3\tNaN\t\"\"\"x\"\" y\"\n\n\n0.25\n");
	assert_int_equal(t->rows, 2);
	table_free(t);
}

static void test_units(void **state)
{
	(void)state;
	assert_string_equal(unit_for(METRIC_NS, "ns", 2.5e9).name, "s");
	assert_string_equal(unit_for(METRIC_NS, "ns", 999).name, "ns");
	assert_true(unit_for(METRIC_NS, "ns", 2.5e6).scale == 1e-6);
	assert_string_equal(unit_for(METRIC_BYTES, "bytes", 0x1p30).name, "GiB");
	assert_string_equal(unit_for(METRIC_COUNT, "count", 5e4).name, "thousand");
	assert_string_equal(unit_for(METRIC_COUNT, "count", 50).name, "");
	assert_string_equal(unit_for(METRIC_PAGES, "pages", 5e6).name, "million pages");
	assert_string_equal(unit_for(METRIC_RATE, "count/s", 50).name, "per s");
	assert_string_equal(unit_for(METRIC_RATE, "ns/s", 1e9).name, "CPUs");
	assert_true(unit_for(METRIC_RATIO, "ratio", 1).scale == 100);
	assert_string_equal(unit_for(METRIC_NS, "ns", NAN).name, "ns");
}

static void test_star(void **state)
{
	(void)state;
	assert_text(parts_star("node*.MemUsed", "node12.MemUsed"), "12");
	assert_null(parts_star("node*.MemUsed", "node0.MemFree"));
	assert_null(parts_star("ab*ba", "aba"));
	assert_text(parts_fill_star("node *", "12"), "node 12");
	assert_text(parts_fill_star("none", "12"), "none");
}

static GArray *samples(const int64_t (*list)[2], guint n)
{
	GArray *out = g_array_new(FALSE, FALSE, sizeof(struct store_sample_row));

	for (guint i = 0; i < n; i++) {
		struct store_sample_row row = {list[i][0], list[i][1]};

		g_array_append_val(out, row);
	}
	return out;
}

// A level's mean over a cell, a counter's rate; what lies between two readings is spread over them only.
static void test_resample(void **state)
{
	static const int64_t level[][2] = {{-5, 10}, {100, 20}, {150, 40}};
	static const int64_t counter[][2] = {{0, 0}, {100, 50}, {200, 100}, {900, 250}};
	static const int64_t late_level[][2] = {{150, 7}};
	const struct grid grid = {100, 5}, longer = {100, 10};
	g_autoptr(GArray) levels = samples(level, 3), counts = samples(counter, 4),
			  late = samples(late_level, 1);
	double y[5] = {}, z[10] = {};

	(void)state;
	resample(levels, false, 10, 340, &grid, y);
	assert_true(y[0] == 10 && y[1] == 30 && y[2] == 40);
	assert_true(isnan(y[3]) && isnan(y[4])); // 40 of 100: too little of the cell
	for (int i = 0; i < 5; i++)
		y[i] = 0;
	resample(late, false, 10, 500, &grid, y);
	assert_true(isnan(y[0]) && isnan(y[1]) && y[2] == 7 && y[4] == 7); // nobody looked before 150
	resample(counts, true, 50, 1000, &longer, z);
	assert_true(fabs(z[0] - 0.5e9) < 1 && fabs(z[1] - 0.5e9) < 1);
	for (int i = 2; i < 7; i++)
		assert_true(z[i] == 0); // readings were 100 apart: what grew by 900 grew lately
	assert_true(fabs(z[7] - 0.5e9) < 1 && fabs(z[8] - 1e9) < 1 && z[9] == 0);
}

// In memory, from a database that is made here; nothing is left behind.
static void test_svg(void **state)
{
	static const char *const argv[] = {"x", NULL};
	const struct plot_options o = {.compare = {.seed = 1}};
	g_autofree char *dir = g_dir_make_tmp("mmprof-test.XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "a.db", NULL),
			*gnuplot = g_find_program_in_path("gnuplot");
	char *svg = NULL;
	struct store *db;
	int64_t run;

	(void)state;
	assert_int_equal(store_open(path, STORE_WRITE, &db), 0);
	for (int i = 0; i < 12; i++) {
		const struct store_run info = {.name = "load",
					       .system = i % 2 ? "ours" : "it's <base>",
					       .argv = argv,
					       .boot_id = "b",
					       .version = "t",
					       .iteration = 1,
					       .started_unix_ns = i,
					       .interval_ms = 100};
		const struct store_result result = {
		    .status = "done", .signal = -1, .elapsed_ns = 1000 + i, .bpf_ns = -1};

		assert_int_equal(store_run_begin(db, &info, &run), 0);
		assert_int_equal(store_run_end(db, run, &result), 0);
	}
	if (gnuplot) {
		assert_int_equal(plot_svg(db, &o, "bars", &svg), 0);
		assert_non_null(strstr(svg, "<svg"));
		assert_non_null(strstr(svg, "it's &lt;base>"));
	}
	g_free(svg);
	assert_int_equal(plot_svg(db, &o, "cdf", &svg), -ENODATA);
	assert_int_equal(plot_svg(db, &o, "none", &svg), -ENOENT);
	store_close(db);
	g_unlink(path);
	assert_int_equal(g_rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_quote),    cmocka_unit_test(test_clean),
	    cmocka_unit_test(test_latex),    cmocka_unit_test(test_shorten),
	    cmocka_unit_test(test_template), cmocka_unit_test(test_bad_template),
	    cmocka_unit_test(test_figures),  cmocka_unit_test(test_table),
	    cmocka_unit_test(test_units),    cmocka_unit_test(test_star),
	    cmocka_unit_test(test_resample), cmocka_unit_test(test_svg)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
