// Systems of the command line; see spec.h.
#include "system/spec.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "system/settings.h"

static int add_setting(struct system_spec *spec, const char *text)
{
	const char *sign = strchr(text, '=');
	struct setting s = {};
	int rc;

	if (!sign || sign == text)
		return err_set(-EINVAL, "--system %s: \"%s\" is no SETTING=VALUE", spec->text, text);
	s.key = g_strndup(text, (gsize)(sign - text));
	s.value = g_strdup(sign + 1);
	rc = setting_is_key(s.key)
		 ? setting_path(s.key, &s.path)
		 : err_set(-EINVAL, "\"%s\" is no setting: sysctl.NAME, /sys/PATH or /proc/sys/PATH", s.key);
	if (!rc)
		rc = setting_check(&s);
	g_array_append_val(spec->settings, s);
	return rc ? err_add(rc, "--system %s", spec->text) : 0;
}

int system_spec_new(const char *text, struct system_spec **spec)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	int rc = 0;

	*spec = g_new0(struct system_spec, 1);
	(*spec)->text = g_strdup(text);
	(*spec)->settings = g_array_new(FALSE, FALSE, sizeof(struct setting));
	g_array_set_clear_func((*spec)->settings, (GDestroyNotify)setting_clear);
	if (!parts[0] || !*parts[0])
		return err_set(-EINVAL, "--system \"%s\": a system needs a name", text);
	for (char **p = parts + 1; *p && !rc; p++)
		rc = add_setting(*spec, *p);
	return rc;
}

void system_spec_free(struct system_spec *spec)
{
	if (!spec)
		return;
	g_array_unref(spec->settings);
	g_free(spec->text);
	g_free(spec);
}

// Writing one file may change another, so all are looked at when all are written.
int system_spec_set_up(void *ctx)
{
	const struct system_spec *spec = ctx;
	int rc = 0;

	for (guint i = 0; i < spec->settings->len && !rc; i++)
		rc = setting_apply(&g_array_index(spec->settings, struct setting, i));
	for (guint i = 0; i < spec->settings->len && !rc; i++)
		rc = setting_verify(&g_array_index(spec->settings, struct setting, i));
	return rc;
}
