// Systems of the command line; see spec.h.
#include "system/spec.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "system/module.h"
#include "system/settings.h"
#include "system/system.h"

// --- words

static int add_setting(struct system_spec *spec, const char *key, const char *setting, const char *value)
{
	struct setting s = {.key = g_strdup(key), .value = g_strdup(value)};
	int rc = setting_path(setting, &s.path);

	g_array_append_val(spec->settings, s);
	return rc;
}

static const struct system_key *key_of(const struct system *system, const char *name)
{
	for (const struct system_key *k = system ? system->keys : NULL; k && k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

static char *keys_text(const struct system *system)
{
	GString *text = g_string_new("sysctl.NAME, /sys/PATH or /proc/sys/PATH");

	for (const struct system_key *k = system ? system->keys : NULL; k && k->name; k++)
		g_string_append_printf(text, ", %s", k->name);
	return g_string_free(text, FALSE);
}

// The kernel splits parameters at blanks, and takes quotes.
static int add_parameter(struct system_spec *spec, const char *key, const char *value)
{
	if (strpbrk(value, " \t\n\"'\\"))
		return err_set(-EINVAL, "%s: a parameter's value has no blanks and quotes", key);
	g_ptr_array_add(spec->parameters, g_strdup_printf("%s=%s", key, value));
	return 0;
}

static int add_word(struct system_spec *spec, const char *text)
{
	const char *sign = strchr(text, '=');
	g_autofree char *key = sign ? g_strndup(text, (gsize)(sign - text)) : NULL, *known = NULL;
	const struct system_key *own;

	if (!sign || sign == text)
		return err_set(-EINVAL, "\"%s\" is no KEY=VALUE", text);
	if (setting_is_key(key))
		return add_setting(spec, key, key, sign + 1);
	own = key_of(spec->system, key);
	if (own && !own->setting) {
		g_hash_table_replace(spec->options, g_strdup(key), g_strdup(sign + 1));
		return 0;
	}
	if (own)
		return add_setting(spec, key, own->setting, sign + 1);
	if (spec->system && spec->system->module)
		return add_parameter(spec, key, sign + 1);
	known = keys_text(spec->system);
	return err_set(-EINVAL, "\"%s\" is no setting: %s", key, known);
}

static bool is_given(const struct system_spec *spec, const struct system_key *key)
{
	for (guint i = 0; i < spec->settings->len; i++)
		if (!strcmp(g_array_index(spec->settings, struct setting, i).key, key->name))
			return true;
	return false;
}

static int add_defaults(struct system_spec *spec)
{
	int rc = 0;

	for (const struct system_key *k = spec->system ? spec->system->keys : NULL; k && k->name && !rc; k++)
		if (k->setting && k->value && !is_given(spec, k))
			rc = add_setting(spec, k->name, k->setting, k->value);
	return rc;
}

int system_spec_parse(const char *text, struct system_spec **out)
{
	g_auto(GStrv) parts = g_strsplit(text, ",", -1);
	struct system_spec *spec = *out = g_new0(struct system_spec, 1);
	int rc = 0;

	spec->text = g_strdup(text);
	spec->settings = g_array_new(FALSE, FALSE, sizeof(struct setting));
	spec->parameters = g_ptr_array_new_with_free_func(g_free);
	spec->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_array_set_clear_func(spec->settings, (GDestroyNotify)setting_clear);
	if (!parts[0] || !*parts[0])
		return err_set(-EINVAL, "a system needs a name");
	spec->system = system_find(parts[0]);
	for (char **p = parts + 1; *p && !rc; p++)
		rc = add_word(spec, *p);
	if (!rc)
		rc = add_defaults(spec);
	return rc;
}

void system_spec_free(struct system_spec *spec)
{
	if (!spec)
		return;
	g_array_unref(spec->settings);
	g_ptr_array_unref(spec->parameters);
	g_hash_table_unref(spec->options);
	g_free(spec->text);
	g_free(spec);
}

const char *system_spec_option(const struct system_spec *spec, const char *key)
{
	const struct system_key *k = key_of(spec->system, key);
	const char *given = g_hash_table_lookup(spec->options, key);

	return given ? given : k ? k->value : NULL;
}

// --- the machine

static int check_parameters(const struct system_spec *spec)
{
	int rc = module_check(spec->system->module);

	for (guint i = 0; i < spec->parameters->len && !rc; i++) {
		const char *text = spec->parameters->pdata[i];
		g_autofree char *key = g_strndup(text, strcspn(text, "="));
		bool has;

		rc = module_has_parameter(spec->system->module, key, &has);
		if (!rc && !has)
			rc = err_set(-EINVAL, "the module %s has no parameter %s (modinfo -p %s)",
				     spec->system->module, key, spec->system->module);
	}
	return rc;
}

// A file of the module's, which comes with it.
static bool is_of_module(const struct system_spec *spec, const struct setting *s)
{
	return spec->system && spec->system->module && g_str_has_prefix(s->path, spec->system->state);
}

int system_spec_check(const struct system_spec *spec)
{
	int rc = spec->system && spec->system->check ? spec->system->check(spec) : 0;

	if (!rc && spec->system && spec->system->module)
		rc = check_parameters(spec);
	for (guint i = 0; i < spec->settings->len && !rc; i++) {
		const struct setting *s = &g_array_index(spec->settings, struct setting, i);

		rc = is_of_module(spec, s) ? 0 : setting_check(s);
	}
	if (!rc && spec->system && spec->system->check_options)
		rc = spec->system->check_options(spec);
	return rc;
}

bool system_spec_changes(const struct system_spec *spec)
{
	return spec->settings->len || (spec->system && (spec->system->module || spec->system->set_up));
}

static int load(const struct system_spec *spec)
{
	g_autoptr(GString) parameters = g_string_new(spec->system->parameters);

	for (guint i = 0; i < spec->parameters->len; i++)
		g_string_append_printf(parameters, "%s%s", parameters->len ? " " : "",
				       (const char *)spec->parameters->pdata[i]);
	return module_load(spec->system->module, parameters->str);
}

// Writing one file may change another, so all are looked at when all are written.
int system_spec_set_up(void *ctx)
{
	const struct system_spec *spec = ctx;
	int rc = spec->system && spec->system->module ? load(spec) : 0;

	for (guint i = 0; i < spec->settings->len && !rc; i++)
		rc = setting_apply(&g_array_index(spec->settings, struct setting, i));
	for (guint i = 0; i < spec->settings->len && !rc; i++)
		rc = setting_verify(&g_array_index(spec->settings, struct setting, i));
	if (!rc && spec->system && spec->system->set_up)
		rc = spec->system->set_up(spec);
	return rc;
}
