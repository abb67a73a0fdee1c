// Documents in all formats: alignment, units, quoting, and text that would like to be obeyed by a terminal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <glib.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/doc_internal.h"
#include "base/err.h"

static char *printed(const struct doc *doc, enum doc_format format)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_int_equal(doc_print(doc, format, out), 0);
	fclose(out);
	return text;
}

static void shows(double value, enum doc_unit unit, const char *expected)
{
	g_autofree char *text = doc_number(value, unit);

	assert_string_equal(text, expected);
}

static void units(void **state)
{
	(void)state;
	shows(0, DOC_NS, "0 ns");
	shows(312, DOC_NS, "312 ns");
	shows(12.34, DOC_NS, "12.3 ns");
	shows(0.5, DOC_NS, "0.500 ns");
	shows(999, DOC_NS, "999 ns");
	shows(999.6, DOC_NS, "1.00 us"); // rounds up into the next unit
	shows(1000, DOC_NS, "1.00 us");
	shows(1424, DOC_NS, "1.42 us");
	shows(999499, DOC_NS, "999 us");
	shows(999999, DOC_NS, "1.00 ms");
	shows(3.1e6, DOC_NS, "3.10 ms");
	shows(12.4e9, DOC_NS, "12.4 s");
	shows(4000e9, DOC_NS, "4,000 s");
	shows(-1424, DOC_NS, "-1.42 us");
	shows(512, DOC_BYTES, "512 B");
	shows(1023, DOC_BYTES, "1,023 B");
	shows(4096, DOC_BYTES, "4.00 KiB");
	shows(1.25 * 0x1p30, DOC_BYTES, "1.25 GiB");
	shows(0x1p63, DOC_BYTES, "8,192 PiB");
	shows(2.4e9, DOC_HZ, "2.40 GHz");
	shows(0.1234, DOC_RATIO, "12.3 %");
	shows(0, DOC_RATIO, "0 %");
	shows(0.000821, DOC_RATIO, "0.0821 %");
	shows(1, DOC_RATIO, "100 %");
	shows(28441.4, DOC_RATE, "28,441/s");
	shows(1.2958, DOC_RATE, "1.30/s");
	shows(-0.2, DOC_COUNT, "0");
	shows(-1234567, DOC_COUNT, "-1,234,567");
	shows(9.9951, DOC_NUMBER, "10.0");
	shows(99.951, DOC_NUMBER, "100");
	shows(0.00099996, DOC_NUMBER, "0.00100");
	shows(1e-20, DOC_NUMBER, "1.00e-20");
	shows(NAN, DOC_NS, "not a number");
	shows(INFINITY, DOC_NS, "infinite");
	g_autofree char *huge = doc_number(-1.7e308, DOC_COUNT);
	assert_int_equal(strlen(huge), 1 + 309 + 102);
}

static void big_integers_keep_their_digits(void **state)
{
	const struct cell min = {.kind = CELL_INT, .i = INT64_MIN},
			  big = {.kind = CELL_INT, .i = 9007199254740993};
	g_autofree char *a = doc_cell_text(&min, DOC_COUNT), *b = doc_cell_text(&big, DOC_COUNT);

	(void)state;
	assert_string_equal(a, "-9,223,372,036,854,775,808");
	assert_string_equal(b, "9,007,199,254,740,993");
}

static void hostile_text(void **state)
{
	static const char *const pairs[][2] = {
	    {"plain h\xc3\xa1\xc4\x8d \xe6\x97\xa5", "plain h\xc3\xa1\xc4\x8d \xe6\x97\xa5"},
	    {"\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"},
	    {"a\nb\tc\r", "a\\nb\\tc\\x0d"},
	    {"\xc2\x9b"
	     "31m",
	     "\\x9b31m"}, // C1 CSI
	    {"\xe2\x80\xae"
	     "evil",
	     "\\u202eevil"},                          // right-to-left override
	    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"}, // not UTF-8
	    {"\xe2\x80\xa8", "\\u2028"},              // line separator
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *text = doc_harmless(pairs[i][0]);

		assert_string_equal(text, pairs[i][1]);
	}
}

static struct doc *example(void)
{
	static const struct doc_column columns[] = {{"name", "name", DOC_PLAIN},
						    {"took_ns", "took", DOC_NS},
						    {"n", "count", DOC_COUNT},
						    {"why", "remark", DOC_PLAIN}};
	struct doc *doc = doc_new("example");
	struct doc_section *sec = doc_section(doc, "first", "First", columns, 4);

	doc_row(sec);
	doc_text(sec, "%s", "\xe6\x97\xa5\xe6\x9c\xac"); // two characters, four columns wide
	doc_int(sec, 1500);
	doc_int(sec, 1234567);
	doc_text(sec, "a, \"b\" | c");
	doc_row(sec);
	doc_text(sec, "long name");
	doc_none(sec, "no clock");
	doc_int(sec, 7);
	doc_row(sec);
	doc_text(sec, "x\x1b[0m");
	doc_real(sec, 0.25);
	doc_none_as(sec, "", NULL);
	doc_text(sec, "#tag");
	doc_note(sec, "A note with <b>.");
	sec = doc_section(doc, "second", "Second", columns, 2);
	doc_vertical(sec);
	doc_row(sec);
	doc_text(sec, "v");
	doc_int(sec, 5);
	doc_section(doc, "third", "Third", NULL, 0);
	return doc;
}

static void as_text(void **state)
{
	struct doc *doc = example();
	char *text = printed(doc, DOC_TEXT);

	(void)state;
	assert_string_equal(text, "First\n"
				  "  name               took      count  remark\n"
				  "  \xe6\x97\xa5\xe6\x9c\xac            1.50 us  1,234,567  a, \"b\" | c\n"
				  "  long name  not measured          7\n"
				  "  x\\x1b[0m       0.250 ns             #tag\n"
				  "  A note with <b>.\n"
				  "\n"
				  "Second\n"
				  "  name  v\n"
				  "  took  5 ns\n"
				  "\n"
				  "Third\n");
	free(text);
	doc_free(doc);
}

static void as_markdown(void **state)
{
	struct doc *doc = example();
	char *text = printed(doc, DOC_MARKDOWN);

	(void)state;
	assert_non_null(strstr(text, "## First\n\n| name | took | count | remark |\n|---|---:|---:|---|\n"));
	assert_non_null(strstr(text, "| 1.50 us | 1,234,567 | a, \"b\" \\| c |\n"));
	assert_non_null(strstr(text, "\nA note with \\<b\\>.\n"));
	assert_non_null(strstr(text, "| | |\n|---|---|\n| name | v |\n| took | 5 ns |\n"));
	assert_null(strchr(text, '\x1b'));
	free(text);
	doc_free(doc);
}

static void as_csv(void **state)
{
	struct doc *doc = example();
	char *text = printed(doc, DOC_CSV);

	(void)state;
	assert_string_equal(text, "# first\r\nname,took_ns,n,why\r\n"
				  "\xe6\x97\xa5\xe6\x9c\xac,1500,1234567,\"a, \"\"b\"\" | c\"\r\n"
				  "long name,,7,\r\n"
				  "x\\x1b[0m,0.25,,\"#tag\"\r\n"
				  "\r\n# second\r\nname,took_ns\r\nv,5\r\n"
				  "\r\n# third\r\n");
	free(text);
	doc_free(doc);
}

static void as_json(void **state)
{
	struct doc *doc = example();
	char *text = printed(doc, DOC_JSON);
	json_t *root = json_loads(text, 0, NULL), *rows, *row;

	(void)state;
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "name")), "example");
	rows = json_object_get(json_object_get(json_object_get(root, "sections"), "first"), "rows");
	assert_int_equal(json_array_size(rows), 3);
	row = json_array_get(rows, 0);
	assert_int_equal(json_integer_value(json_object_get(row, "took_ns")), 1500);
	row = json_array_get(rows, 1);
	assert_true(json_is_null(json_object_get(row, "took_ns")));
	assert_string_equal(json_string_value(json_object_get(row, "took_ns_not_measured")), "no clock");
	assert_true(json_is_null(json_object_get(row, "why")));
	row = json_array_get(rows, 2);
	assert_null(json_object_get(row, "n_not_measured"));
	assert_string_equal(json_string_value(json_object_get(row, "name")),
			    "x\x1b[0m"); // as it was, escaped in the file
	assert_null(strchr(text, '\x1b'));
	json_decref(root);
	free(text);
	doc_free(doc);
}

// A small number keeps its digits beside a great one, in a form that siunitx reads.
static void as_latex(void **state)
{
	static const struct doc_column columns[] = {{"p", "p", DOC_NUMBER}, {"n", "n", DOC_COUNT}};
	struct doc *doc = doc_new("x");
	struct doc_section *sec = doc_section(doc, "s", "S", columns, 2);
	char *text;

	(void)state;
	doc_row(sec);
	doc_real(sec, 2e-5);
	doc_int(sec, 12);
	doc_row(sec);
	doc_real(sec, 0.0123);
	doc_real(sec, 2.5);
	doc_row(sec);
	doc_real(sec, 0);
	doc_real(sec, 0.004);
	text = printed(doc, DOC_LATEX);
	assert_non_null(strstr(text, "    2.00e-05 & 12 "));
	assert_non_null(strstr(text, "    0.012 & 2.500 "));
	assert_non_null(strstr(text, "    0.000 & 4.00e-03 "));
	free(text);
	doc_free(doc);
}

// One line for export, every number as it was.
static void as_a_line_of_json(void **state)
{
	static const struct doc_column columns[] = {{"x", "x", DOC_NUMBER}};
	struct doc *doc = doc_new("\xc2\x9b[2J");
	struct doc_section *sec = doc_section(doc, "s", "S", columns, 1);
	const double value = 0.1 + 0.2; // 17 digits
	char *text;
	json_t *root;

	(void)state;
	doc_row(sec);
	doc_real(sec, value);
	text = doc_json(doc, 0);
	assert_null(strpbrk(text, "\n\xc2"));
	root = json_loads(text, 0, NULL);
	assert_true(
	    json_real_value(json_object_get(
		json_array_get(
		    json_object_get(json_object_get(json_object_get(root, "sections"), "s"), "rows"), 0),
		"x")) == value);
	json_decref(root);
	free(text);
	doc_free(doc);
}

static void narrow_terminals(void **state)
{
	static const struct doc_column columns[] = {
	    {"a", "a", DOC_PLAIN}, {"n", "n", DOC_COUNT}, {"b", "b", DOC_PLAIN}};
	struct doc *doc = doc_new("x");
	struct doc_section *sec = doc_section(doc, "s", "S", columns, 3);
	char *text;

	(void)state;
	doc_row(sec);
	doc_text(sec, "one two three four five six seven eight nine ten eleven");
	doc_int(sec, 1);
	doc_text(sec,
		 "/a/path/that/is/longer/than/any/column/and/has/no/blank/in/it and more words after it");
	g_setenv("COLUMNS", "60", TRUE);
	text = printed(doc, DOC_TEXT);
	g_unsetenv("COLUMNS"); // the last column's words are left whole
	assert_string_equal(
	    text,
	    "S\n"
	    "  a                           n  b\n"
	    "  one two three four five     1  /a/path/that/is/longer/than/any/column/and/has/no/blank/in/it\n"
	    "  six seven eight nine ten       and more words after it\n"
	    "  eleven\n");
	free(text);
	text = printed(doc, DOC_TEXT); // no terminal: a row is a line
	assert_non_null(strstr(text, "eleven  1  /a/path"));
	assert_non_null(strstr(text, "words after it\n"));
	free(text);
	doc_free(doc);
}

static void a_full_disk(void **state)
{
	struct doc *doc = example();
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	if (!full)
		skip();
	for (int f = DOC_TEXT; f <= DOC_JSON; f++)
		assert_int_equal(doc_print(doc, (enum doc_format)f, full), -ENOSPC);
	fclose(full);
	doc_free(doc);
}

static void formats(void **state)
{
	enum doc_format f;

	(void)state;
	assert_int_equal(doc_format_parse("md", &f), 0);
	assert_int_equal(f, DOC_MARKDOWN);
	assert_int_equal(doc_format_parse("xml", &f), -EINVAL);
	assert_non_null(strstr(err_text(), "xml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(units),
	    cmocka_unit_test(big_integers_keep_their_digits),
	    cmocka_unit_test(hostile_text),
	    cmocka_unit_test(as_text),
	    cmocka_unit_test(as_markdown),
	    cmocka_unit_test(as_csv),
	    cmocka_unit_test(as_json),
	    cmocka_unit_test(as_latex),
	    cmocka_unit_test(as_a_line_of_json),
	    cmocka_unit_test(narrow_terminals),
	    cmocka_unit_test(a_full_disk),
	    cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests_name("doc", tests, NULL, NULL);
}
