// The per-thread error chain; see err.h.
#include "base/err.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

static __thread char chain[1024] = "no error";

static void one_line(char *s)
{
	g_strdelimit(g_strchomp(s), "\n\r", ' ');
}

int err_set(int code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	errno = saved; // for %m
	vsnprintf(chain, sizeof(chain), fmt, ap);
	va_end(ap);
	one_line(chain);
	return code;
}

int err_add(int code, const char *fmt, ...)
{
	char front[512], whole[sizeof(chain)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	g_snprintf(whole, sizeof(whole), "%s: %s", front, chain);
	g_strlcpy(chain, whole, sizeof(chain));
	one_line(chain);
	return code;
}

const char *err_text(void)
{
	return chain;
}
