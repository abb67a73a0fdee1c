// How each kind of change is undone. A line of the journal is KIND TAB PATH TAB VALUE, each escaped. Private
// to the journal.
#ifndef MMPROF_BASE_UNDO_H
#define MMPROF_BASE_UNDO_H

#include "base/journal.h"

const char *undo_kind_name(enum undo_kind kind);

// Undoes what a line says; a torn line is nothing. 0, also when it is undone already, or -errno with an err
// chain.
int undo_line(const char *line);

#endif
