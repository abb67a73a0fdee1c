// A "*" in a part's names, which stands for whatever the database has there.
#ifndef MMPROF_PLOT_PARTS_H
#define MMPROF_PLOT_PARTS_H

// What the star of `pattern` stands for in `name`; NULL: they don't match. `pattern` has exactly one.
char *parts_star(const char *pattern, const char *name);
char *parts_fill_star(const char *text, const char *piece);

#endif
