/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/base/cli.h"
#include "formats/base/log.h"
#include "settings.h"

/* ---- the file ---------------------------------------------------------------------------- */

/* libinih doesn't tell line numbers and takes indented lines as continuations: so lines are
 * counted, and stripped of leading blanks, on their way to it. */
struct file_read {
	struct fr_config *config;
	FILE *file;
	const char *path;
	uint32_t line;
	uint32_t bad_cnt;
	uint32_t told_line;		  /* last line that got a message */
	uint32_t set_at[FR_SETTINGS_MAX]; /* line of each setting, 0 = not yet */
};

__attribute__((format(printf, 2, 3))) static void complain(struct file_read *r, const char *fmt,
							   ...)
{
	char text[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fr_err("%s:%u: %s", r->path, r->line, text);
	r->bad_cnt++;
	r->told_line = r->line;
}

static char *read_line(char *line, int line_bytes, void *ctx)
{
	struct file_read *r = ctx;
	size_t len, blanks;

	if (!fgets(line, line_bytes, r->file))
		return NULL;
	r->line++;
	len = strlen(line);
	if (len + 1 == (size_t)line_bytes && line[len - 1] != '\n') {
		complain(r, "the line is longer than %d bytes: shorten it", line_bytes - 2);
		for (int c = 0; c != '\n' && c != EOF;)
			c = fgetc(r->file);
		line[0] = 0;
	}
	blanks = strspn(line, " \t");
	memmove(line, line + blanks, strlen(line + blanks) + 1);
	return line;
}

static void take_setting(struct file_read *r, const char *key, const char *value)
{
	const struct fr_setting_row *row = fr_setting_by_key(key);
	char err[256];
	size_t i;

	if (!row) {
		complain(r, "unknown key '%s': see flightrec.ini(5) for those there are", key);
		return;
	}
	i = (size_t)(row - fr_setting_rows);
	if (r->set_at[i]) {
		complain(r, "%s is set already on line %u: remove one of the two", key,
			 r->set_at[i]);
		return;
	}
	r->set_at[i] = r->line;
	if (row->set(r->config, value, err, sizeof(err)))
		complain(r, "%s: %s", key, err);
}

static int take_key(void *ctx, const char *section, const char *key, const char *value)
{
	struct file_read *r = ctx;
	char err[256];

	if (!section[0] || !strcmp(section, "flightrecd"))
		take_setting(r, key, value);
	else if (strncmp(section, "trigger.", 8))
		complain(r, "unknown section [%s]: there are [flightrecd] and [trigger.NAME]",
			 section);
	else if (fr_setting_trigger(r->config, section + 8, key, value, err, sizeof(err)))
		complain(r, "[%s] %s: %s", section, key, err);
	return r->told_line != r->line;
}

static int open_file(const struct fr_config *config, FILE **ret_file)
{
	struct stat st;
	FILE *file = fopen(config->config_path, "re");

	if (file && !fstat(fileno(file), &st) && S_ISDIR(st.st_mode)) {
		fclose(file);
		file = NULL;
		errno = EISDIR;
	}
	if (file) {
		*ret_file = file;
		return 0;
	}
	if (errno == ENOENT && !config->config_given) {
		*ret_file = NULL;
		return 0;
	}
	fr_err("cannot read the configuration '%s': %s; name another with --config",
	       config->config_path, strerror(errno));
	return errno == EACCES || errno == EPERM ? -EACCES : -EIO;
}

static int read_file(struct fr_config *config)
{
	struct file_read r = { .config = config, .path = config->config_path };
	int err = open_file(config, &r.file), first_bad;

	if (err || !r.file)
		return err;
	first_bad = ini_parse_stream(read_line, &r, take_key, &r);
	if (ferror(r.file)) {
		fr_err("cannot read the configuration '%s' to its end: I/O error", r.path);
		err = -EIO;
	}
	fclose(r.file);
	/* what libinih itself refuses comes back as the number of the first such line only */
	if (first_bad > 0 && !r.bad_cnt) {
		r.line = (uint32_t)first_bad;
		complain(&r, "this is no 'key = value', no '[section]' and no comment");
	}
	return err ? err : r.bad_cnt ? -EINVAL : 0;
}

/* ---- the whole --------------------------------------------------------------------------- */

static int parse_options(struct fr_config *config, int argc, char **argv)
{
	struct fr_option options[FR_SETTINGS_MAX + 1] = { 0 };
	struct fr_command command = {
		.name = "flightrecd",
		.synopsis = "[OPTION...]",
		.about =
			"Records what the kernel sees into a ring in memory that overwrites "
			"itself; on a trigger the last\nseconds become one file. SIGUSR1 or "
			"`flightrec trigger` dumps, SIGUSR2 logs statistics,\nSIGHUP reads the "
			"configuration again, SIGTERM ends.",
		.options = options,
		.epilog =
			"Settings come from the command line, then from the file (keys with _ for "
			"-), then from defaults.\n"
			"Exit codes: 0 ok, 1 something was degraded or lost (--self-test), 2 wrong "
			"use, 3 no permission,\n4 this kernel lacks something essential, 5 I/O "
			"failed or another instance runs.",
	};
	int left;

	for (uint32_t i = 0; i < fr_setting_cnt; i++)
		options[i] = (struct fr_option){
			.name = fr_setting_rows[i].name,
			.arg = fr_setting_rows[i].arg,
			.help = fr_setting_rows[i].help,
			.set = fr_setting_rows[i].set,
		};
	left = fr_cli_parse(&command, argc, argv, config);
	if (left <= 0)
		return left;
	fr_err("'%s' is no option: flightrecd takes options only, see flightrecd --help", argv[1]);
	return -EINVAL;
}

/* What a kind waits for before it can fire, and where that is said. */
static const char *trigger_needs(enum fr_trigger_kind kind)
{
	if (kind == FR_TRIGGER_LATENCY)
		return "a limit: give --latency-limit TIME";
	if (kind == FR_TRIGGER_EXIT)
		return "names: set process = NAME,... in its section of the configuration";
	if (kind == FR_TRIGGER_PSI)
		return "a share of time: set cpu, io or memory in its section of the configuration";
	return "a limit: set limit = TIME in its section of the configuration";
}

/* What each option for itself cannot tell. */
static int check_together(const struct fr_config *config)
{
	if (config->json && !config->features) {
		fr_err("--json belongs to --features; of a running recorder it is 'flightrec "
		       "status --json'");
		return -EINVAL;
	}
	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++) {
		if (!(config->asked_on & 1u << kind) ||
		    fr_config_trigger_on(config, (enum fr_trigger_kind)kind))
			continue;
		fr_err("--trigger %s=on: it never fires without %s",
		       fr_trigger_name((enum fr_trigger_kind)kind),
		       trigger_needs((enum fr_trigger_kind)kind));
		return -EINVAL;
	}
	return 0;
}

int fr_config_load(struct fr_config *ret_config, int argc, char **argv)
{
	struct fr_config config;
	int err;

	/* once to learn which file to read, once more to stand above what the file says */
	fr_setting_defaults(&config);
	err = parse_options(&config, argc, argv);
	if (err || config.version) {
		*ret_config = config;
		return err;
	}
	fr_setting_defaults(ret_config);
	memcpy(ret_config->config_path, config.config_path, sizeof(config.config_path));
	ret_config->config_given = config.config_given;
	err = read_file(ret_config);
	if (!err)
		err = parse_options(ret_config, argc, argv);
	return err ? err : check_together(ret_config);
}

static bool same(const struct fr_setting_row *row, const struct fr_config *a,
		 const struct fr_config *b, struct fr_buf *ret_new)
{
	struct fr_buf old = { 0 };
	bool equal;

	fr_buf_clear(ret_new);
	row->get(a, &old);
	row->get(b, ret_new);
	fr_buf_add_char(&old, 0);
	fr_buf_add_char(ret_new, 0);
	equal = !old.err && !ret_new->err && !strcmp((char *)old.data, (char *)ret_new->data);
	fr_buf_done(&old);
	return equal;
}

int fr_config_reload(struct fr_config *config, int argc, char **argv, uint32_t *ret_changed_cnt)
{
	struct fr_config fresh, next = *config;
	struct fr_buf value = { 0 };
	uint32_t changed_cnt = 0;
	char err[256];
	int bad = fr_config_load(&fresh, argc, argv);

	for (uint32_t i = 0; !bad && i < fr_setting_cnt; i++) {
		const struct fr_setting_row *row = &fr_setting_rows[i];

		if (!row->get || same(row, config, &fresh, &value))
			continue;
		if (value.err) {
			bad = value.err;
		} else if (row->flags & FR_SETTING_RELOAD) {
			bad = row->set(&next, (char *)value.data, err, sizeof(err));
			changed_cnt++;
		} else {
			fr_warn("%s = %s takes a restart, ignoring", row->name,
				row->flags & FR_SETTING_PRIVATE ? "(not shown)" :
								  (char *)value.data);
		}
	}
	fr_buf_done(&value);
	if (bad)
		return bad;
	if (memcmp(next.triggers, fresh.triggers, sizeof(next.triggers)) ||
	    memcmp(&next.trigger_more, &fresh.trigger_more, sizeof(next.trigger_more)))
		changed_cnt++;
	memcpy(next.triggers, fresh.triggers, sizeof(next.triggers));
	next.trigger_more = fresh.trigger_more;
	*config = next;
	*ret_changed_cnt = changed_cnt;
	return 0;
}

struct fr_trigger_rule fr_config_rule(const struct fr_config *config, enum fr_trigger_kind kind)
{
#define LIMITED(NAME, name, limited, on) [FR_TRIGGER_##NAME] = (limited),
	static const bool is_limited[] = { FR_TRIGGERS(LIMITED) };
#undef LIMITED
	struct fr_trigger_rule rule = config->triggers[kind];

	if (rule.cooldown_ns == FR_RULE_UNSET)
		rule.cooldown_ns = is_limited[kind] ? config->cooldown_ns : 0;
	if (rule.max_per_day == FR_RULE_UNSET)
		rule.max_per_day = is_limited[kind] ? config->max_per_day : 0;
	return rule;
}

bool fr_config_trigger_on(const struct fr_config *config, enum fr_trigger_kind kind)
{
	const struct fr_trigger_rule *rule = &config->triggers[kind];
	const struct fr_trigger_more *more = &config->trigger_more;

	if (!rule->enabled)
		return false;
	if (kind == FR_TRIGGER_LATENCY || kind == FR_TRIGGER_RUNQUEUE || kind == FR_TRIGGER_BLOCK)
		return rule->limit_ns;
	if (kind == FR_TRIGGER_EXIT)
		return more->exit_cnt;
	if (kind == FR_TRIGGER_PSI)
		return more->pressure_pct[FR_PRESSURE_CPU] || more->pressure_pct[FR_PRESSURE_IO] ||
		       more->pressure_pct[FR_PRESSURE_MEMORY];
	return true;
}

/* The file's name of a setting. */
static void key_of(const struct fr_setting_row *row, char *key, size_t key_bytes)
{
	snprintf(key, key_bytes, "%s", row->name);
	for (char *c = key; *c; c++)
		if (*c == '-')
			*c = '_';
}

void fr_config_print(const struct fr_config *config, struct fr_buf *out)
{
	for (uint32_t i = 0; i < fr_setting_cnt; i++) {
		const struct fr_setting_row *row = &fr_setting_rows[i];
		size_t from = out->len_bytes, empty_at;
		char key[32];

		if (!row->get)
			continue;
		key_of(row, key, sizeof(key));
		fr_buf_printf(out, "%s = ", key);
		empty_at = out->len_bytes;
		row->get(config, out);
		if (out->len_bytes == empty_at && !out->err)
			out->len_bytes = from; /* a filter that is not set has no line */
		else
			fr_buf_add_char(out, '\n');
	}
	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++) {
		fr_buf_printf(out, "\n[trigger.%s]\n", fr_trigger_name(kind));
		fr_setting_trigger_get(config, kind, out);
	}
}

void fr_config_settings(const struct fr_config *config, struct fr_meta_config *ret_meta)
{
	struct fr_buf text = { 0 };
	struct fr_setting *setting;

	ret_meta->setting_cnt = 0;
	for (uint32_t i = 0; i < fr_setting_cnt; i++) {
		if (!fr_setting_rows[i].get)
			continue;
		setting = &ret_meta->settings[ret_meta->setting_cnt++];
		fr_buf_clear(&text);
		fr_setting_rows[i].get(config, &text);
		fr_buf_add_char(&text, 0);
		if (fr_setting_rows[i].flags & FR_SETTING_PRIVATE && !text.err &&
		    strcmp((char *)text.data, "off")) {
			fr_buf_clear(&text);
			fr_buf_add(&text, "(set)", sizeof("(set)"));
		}
		key_of(&fr_setting_rows[i], setting->key, sizeof(setting->key));
		/* long lists and paths are cut: the dump's field is what it is */
		snprintf(setting->value, sizeof(setting->value), "%s",
			 text.err ? "" : (const char *)text.data);
	}
	fr_buf_done(&text);
	snprintf(ret_meta->redact, sizeof(ret_meta->redact), "%s",
		 fr_redact_name(config->redact.level));
}
