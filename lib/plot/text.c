// Names on their way into a figure: without what controls a terminal, short enough for their place, and
// quoted so that neither gnuplot nor TeX takes them for anything but text. All terminals run noenhanced; in
// single quotes gnuplot 5.4 expands neither backquotes nor macros, and formats numbers (%) only in the labels
// of tics.
#include "plot/internal.h"

// Thousandths of an em of the characters 32 to 126 in Arial, Helvetica and Liberation Sans.
static const short widths[] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

static double char_width(gunichar c)
{
	if (c >= 32 && c <= 126)
		return widths[c - 32] / 1000.0;
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) || c == 0x2026 ? 1 : 0.6;
}

double text_width(const char *text)
{
	double em = 0;

	for (; *text; text = g_utf8_next_char(text))
		em += char_width(g_utf8_get_char(text));
	return em;
}

// Besides control characters: those that turn the direction of the text around them, and other lines' ends.
static bool is_shown(gunichar c)
{
	switch (g_unichar_type(c)) {
	case G_UNICODE_CONTROL:
	case G_UNICODE_FORMAT:
	case G_UNICODE_SURROGATE:
	case G_UNICODE_UNASSIGNED:
	case G_UNICODE_LINE_SEPARATOR:
	case G_UNICODE_PARAGRAPH_SEPARATOR:
		return false;
	default:
		return true;
	}
}

char *text_clean(const char *name)
{
	g_autofree char *valid = g_utf8_make_valid(name, -1);
	GString *out = g_string_new(NULL);

	for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
		gunichar c = g_utf8_get_char(p);

		g_string_append_unichar(out, is_shown(c) ? c : ' ');
	}
	g_strstrip(out->str);
	if (!*out->str)
		g_string_assign(out, "(no name)");
	return g_string_free(out, FALSE);
}

char *text_shorten(const char *name, double em)
{
	g_autofree char *text = text_clean(name);
	long n = g_utf8_strlen(text, -1), head = 0, tail = 0;
	double room = em - 1; // the …'s

	if (text_width(text) <= em)
		return g_steal_pointer(&text);
	// from both ends inwards, two of the beginning for each of the end
	while (head + tail < n) {
		bool front = head <= 2 * tail;
		const char *at = g_utf8_offset_to_pointer(text, front ? head : n - 1 - tail);
		double width = char_width(g_utf8_get_char(at));

		if (width > room && head)
			break;
		room -= width;
		*(front ? &head : &tail) += 1;
	}
	g_autofree char *start = g_utf8_substring(text, 0, head);
	return g_strconcat(start, "…", g_utf8_offset_to_pointer(text, n - tail), NULL);
}

char *text_latex(const char *text)
{
	static const struct {
		char c;
		const char *tex;
	} special[] = {{'\\', "\\textbackslash{}"},
		       {'~', "\\textasciitilde{}"},
		       {'^', "\\textasciicircum{}"},
		       {'<', "\\textless{}"},
		       {'>', "\\textgreater{}"},
		       {'|', "\\textbar{}"},
		       {'{', "\\{"},
		       {'}', "\\}"},
		       {'$', "\\$"},
		       {'&', "\\&"},
		       {'#', "\\#"},
		       {'_', "\\_"},
		       {'%', "\\%"},
		       {'"', "\\textquotedbl{}"},
		       {'`', "\\textasciigrave{}"}};
	GString *out = g_string_new(NULL);

	for (; *text; text++) {
		const char *tex = NULL;

		for (size_t i = 0; i < G_N_ELEMENTS(special) && !tex; i++)
			tex = special[i].c == *text ? special[i].tex : NULL;
		if (tex)
			g_string_append(out, tex);
		else
			g_string_append_c(out, *text);
	}
	return g_string_free(out, FALSE);
}

// An apostrophe can't stand inside: gnuplot 5.4 takes '' for one only where neither the opening quote nor
// another '' is before it.
static void quote(GString *out, const char *text, bool label)
{
	g_string_append_c(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			g_string_append(out, "'.\"'\".'");
		else if (*text == '%' && label)
			g_string_append(out, "%%");
		else
			g_string_append_c(out, *text == '\n' ? ' ' : *text);
	}
	g_string_append_c(out, '\'');
}

void text_quote(GString *out, const char *text)
{
	quote(out, text, false);
}

void text_quote_label(GString *out, const char *text)
{
	quote(out, text, true);
}
