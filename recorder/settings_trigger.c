/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of the sections [trigger.NAME]: one table of keys, each with the kinds that have it. */
#include <string.h>

#include "settings.h"
#include "value.h"

#define NS_PER_S 1000000000ull

static const char *const trigger_names[] = {
#define TRIGGER_NAME(NAME, name, limited, on) [FR_TRIGGER_##NAME] = name,
	FR_TRIGGERS(TRIGGER_NAME)
#undef TRIGGER_NAME
};

const char *fr_trigger_name(enum fr_trigger_kind kind)
{
	return trigger_names[kind];
}

int fr_trigger_by_name(const char *name)
{
	for (int kind = 0; kind < FR_TRIGGER_CNT; kind++)
		if (!strcmp(name, trigger_names[kind]))
			return kind;
	return -1;
}

#define SET(name)                                                                                  \
	static int set_##name(struct fr_config *c, enum fr_trigger_kind kind, const char *value,   \
			      char *err, size_t n)
#define GET(name)                                                                                  \
	static void get_##name(const struct fr_config *c, enum fr_trigger_kind kind,               \
			       struct fr_buf *out)

/* ---- what every kind has ----------------------------------------------------------------- */

SET(enabled)
{
	return fr_value_bool(value, &c->triggers[kind].enabled, err, n);
}
GET(enabled)
{
	fr_buf_add_str(out, c->triggers[kind].enabled ? "on" : "off");
}

SET(cooldown)
{
	return fr_value_duration(value, 0, 86400 * NS_PER_S, &c->triggers[kind].cooldown_ns, err,
				 n);
}
GET(cooldown)
{
	if (c->triggers[kind].cooldown_ns != FR_RULE_UNSET)
		fr_value_put_duration(out, c->triggers[kind].cooldown_ns);
}

SET(max_per_day)
{
	return fr_value_number(value, 0, 1000000, &c->triggers[kind].max_per_day, err, n);
}
GET(max_per_day)
{
	if (c->triggers[kind].max_per_day != FR_RULE_UNSET)
		fr_buf_add_u64(out, c->triggers[kind].max_per_day);
}

/* ---- time -------------------------------------------------------------------------------- */

SET(limit)
{
	if (!strcmp(value, "off") && kind != FR_TRIGGER_LATENCY_P99) {
		c->triggers[kind].limit_ns = 0;
		return 0;
	}
	return fr_value_duration(value, 1000, 86400 * NS_PER_S, &c->triggers[kind].limit_ns, err,
				 n);
}
GET(limit)
{
	if (c->triggers[kind].limit_ns)
		fr_value_put_duration(out, c->triggers[kind].limit_ns);
	else
		fr_buf_add_str(out, "off");
}

SET(factor)
{
	return fr_value_number(value, 2, 1000, &c->triggers[kind].factor, err, n);
}
GET(factor)
{
	fr_buf_add_u64(out, c->triggers[kind].factor);
}

/* ---- SQLSTATEs --------------------------------------------------------------------------- */

static int state_of(const char *word, uint64_t *ret)
{
	size_t len = strlen(word);
	uint64_t state = 0;

	if (len != 2 && len != 5)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!strchr("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", word[i]))
			return -1;
		state |= (uint64_t)(uint8_t)word[i] << i * 8;
	}
	*ret = state;
	return 0;
}

static int set_states(uint64_t *list, const char *value, char *err, size_t n)
{
	uint64_t fresh[FR_STATES_MAX] = { 0 };
	uint32_t cnt = 0;
	char word[16];

	while (fr_value_word(&value, word, sizeof(word))) {
		if (cnt == FR_STATES_MAX)
			return fr_value_refuse(err, n,
					       "at most %d codes: name classes of two "
					       "characters instead",
					       FR_STATES_MAX);
		if (state_of(word, &fresh[cnt++]))
			return fr_value_refuse(err, n,
					       "'%s' is no SQLSTATE (five of 0-9 and A-Z) and "
					       "no class (two)",
					       word);
	}
	memcpy(list, fresh, sizeof(fresh));
	return 0;
}

static void get_states(const uint64_t *list, struct fr_buf *out)
{
	for (uint32_t i = 0; i < FR_STATES_MAX && list[i]; i++) {
		if (i)
			fr_buf_add_char(out, ',');
		for (uint64_t left = list[i]; left; left >>= 8)
			fr_buf_add_char(out, (char)(left & 0xff));
	}
}

SET(ignore)
{
	(void)kind;
	return set_states(c->trigger_more.sql_ignore, value, err, n);
}
GET(ignore)
{
	(void)kind;
	get_states(c->trigger_more.sql_ignore, out);
}

SET(only)
{
	(void)kind;
	return set_states(c->trigger_more.sql_only, value, err, n);
}
GET(only)
{
	(void)kind;
	get_states(c->trigger_more.sql_only, out);
}

/* ---- ends of processes ------------------------------------------------------------------- */

SET(process)
{
	struct fr_trigger_more *m = &c->trigger_more;
	char fresh[FR_EXITS_MAX][16] = { { 0 } }, word[16];
	uint32_t cnt = 0;

	(void)kind;
	while (fr_value_word(&value, word, sizeof(word))) {
		if (cnt == FR_EXITS_MAX)
			return fr_value_refuse(err, n, "at most %d names", FR_EXITS_MAX);
		if (!word[0])
			return fr_value_refuse(err, n,
					       "a name has 1 to 15 bytes: it is what ps "
					       "shows as COMMAND, cut");
		memcpy(fresh[cnt++], word, strlen(word));
	}
	memcpy(m->exit_names, fresh, sizeof(fresh));
	m->exit_cnt = cnt;
	return 0;
}
GET(process)
{
	(void)kind;
	for (uint32_t i = 0; i < c->trigger_more.exit_cnt; i++)
		fr_buf_printf(out, "%s%s", i ? "," : "", c->trigger_more.exit_names[i]);
}

static const char *const exit_status[] = { "any", "failure" };

SET(status)
{
	int i = fr_value_choice(value, exit_status, 2, err, n);

	(void)kind;
	if (i < 0)
		return i;
	c->trigger_more.exit_failures_only = i;
	return 0;
}
GET(status)
{
	(void)kind;
	fr_buf_add_str(out, exit_status[c->trigger_more.exit_failures_only]);
}

/* ---- pressure ---------------------------------------------------------------------------- */

static int set_pressure(uint64_t *pct, const char *value, char *err, size_t n)
{
	size_t len = strlen(value);
	char number[8];

	if (!strcmp(value, "off")) {
		*pct = 0;
		return 0;
	}
	if (len < 2 || len > 4 || value[len - 1] != '%')
		return fr_value_refuse(err, n,
				       "'%s' is neither off nor a share of time, 1%% to "
				       "100%%",
				       value);
	memcpy(number, value, len - 1);
	number[len - 1] = 0;
	return fr_value_number(number, 1, 100, pct, err, n);
}

static void get_pressure(uint64_t pct, struct fr_buf *out)
{
	if (pct)
		fr_buf_printf(out, "%u%%", (unsigned int)pct);
	else
		fr_buf_add_str(out, "off");
}

#define PRESSURE(name, NAME)                                                                       \
	SET(name)                                                                                  \
	{                                                                                          \
		(void)kind;                                                                        \
		return set_pressure(&c->trigger_more.pressure_pct[FR_PRESSURE_##NAME], value, err, \
				    n);                                                            \
	}                                                                                          \
	GET(name)                                                                                  \
	{                                                                                          \
		(void)kind;                                                                        \
		get_pressure(c->trigger_more.pressure_pct[FR_PRESSURE_##NAME], out);               \
	}
PRESSURE(cpu, CPU)
PRESSURE(io, IO)
PRESSURE(memory, MEMORY)

SET(window)
{
	(void)kind; /* what the kernel takes */
	return fr_value_duration(value, NS_PER_S / 2, 10 * NS_PER_S,
				 &c->trigger_more.pressure_window_ns, err, n);
}
GET(window)
{
	(void)kind;
	fr_value_put_duration(out, c->trigger_more.pressure_window_ns);
}

/* ---- the table --------------------------------------------------------------------------- */

#define KIND(NAME) (1u << FR_TRIGGER_##NAME)
#define TIMED (KIND(LATENCY) | KIND(LATENCY_P99) | KIND(RUNQUEUE) | KIND(BLOCK))

static const struct key {
	const char *name;
	uint32_t kinds; /* that have it */
	int (*set)(struct fr_config *c, enum fr_trigger_kind kind, const char *value, char *err,
		   size_t n);
	void (*get)(const struct fr_config *c, enum fr_trigger_kind kind, struct fr_buf *out);
} keys[] = {
	{ "enabled", ~0u, set_enabled, get_enabled },
	{ "cooldown", ~0u, set_cooldown, get_cooldown },
	{ "max_per_day", ~0u, set_max_per_day, get_max_per_day },
	{ "limit", TIMED, set_limit, get_limit },
	{ "factor", KIND(LATENCY_P99), set_factor, get_factor },
	{ "ignore", KIND(SQL_ERROR), set_ignore, get_ignore },
	{ "only", KIND(SQL_ERROR), set_only, get_only },
	{ "process", KIND(EXIT), set_process, get_process },
	{ "status", KIND(EXIT), set_status, get_status },
	{ "cpu", KIND(PSI), set_cpu, get_cpu },
	{ "io", KIND(PSI), set_io, get_io },
	{ "memory", KIND(PSI), set_memory, get_memory },
	{ "window", KIND(PSI), set_window, get_window },
};
#define KEY_CNT (sizeof(keys) / sizeof(keys[0]))

static int refuse_key(uint32_t kind, const char *key, char *err, size_t n)
{
	struct fr_buf list = { 0 };
	int bad;

	for (size_t i = 0; i < KEY_CNT; i++)
		if (keys[i].kinds & 1u << kind)
			fr_buf_printf(&list, "%s%s", i ? ", " : "", keys[i].name);
	fr_buf_add_char(&list, 0);
	bad = fr_value_refuse(err, n, "trigger %s has no key '%s'; it has %s", trigger_names[kind],
			      key, list.err ? "others" : (const char *)list.data);
	fr_buf_done(&list);
	return bad;
}

int fr_setting_trigger(struct fr_config *config, const char *trigger, const char *key,
		       const char *value, char *err, size_t err_bytes)
{
	int kind = fr_value_choice(trigger, trigger_names, FR_TRIGGER_CNT, err, err_bytes);

	if (kind < 0)
		return kind;
	for (size_t i = 0; i < KEY_CNT; i++)
		if (!strcmp(key, keys[i].name) && keys[i].kinds & 1u << kind)
			return keys[i].set(config, (enum fr_trigger_kind)kind, value, err,
					   err_bytes);
	return refuse_key((uint32_t)kind, key, err, err_bytes);
}

void fr_setting_trigger_get(const struct fr_config *config, enum fr_trigger_kind kind,
			    struct fr_buf *out)
{
	for (size_t i = 0; i < KEY_CNT; i++) {
		size_t from = out->len_bytes, empty_at;

		if (!(keys[i].kinds & 1u << kind))
			continue;
		fr_buf_printf(out, "%s = ", keys[i].name);
		empty_at = out->len_bytes;
		keys[i].get(config, kind, out);
		/* an empty list is said, as its default may be another; what is not set is not */
		if (out->len_bytes == empty_at && !out->err && keys[i].kinds == ~0u)
			out->len_bytes = from;
		else
			fr_buf_add_char(out, '\n');
	}
}

void fr_setting_trigger_defaults(struct fr_config *config)
{
#define DEFAULT_ON(NAME, name, limited, on) [FR_TRIGGER_##NAME] = (on),
	static const bool is_on[] = { FR_TRIGGERS(DEFAULT_ON) };
#undef DEFAULT_ON
	struct fr_trigger_more *m = &config->trigger_more;
	char err[64];

	for (uint32_t kind = 0; kind < FR_TRIGGER_CNT; kind++) {
		config->triggers[kind].enabled = is_on[kind];
		config->triggers[kind].cooldown_ns = FR_RULE_UNSET;
		config->triggers[kind].max_per_day = FR_RULE_UNSET;
	}
	config->triggers[FR_TRIGGER_LATENCY_P99].limit_ns = NS_PER_S / 10;
	config->triggers[FR_TRIGGER_LATENCY_P99].factor = 8;
	/* unique violations, serialization failures, deadlocks: what programs retry */
	set_states(m->sql_ignore, "23505,40001,40P01", err, sizeof(err));
	m->pressure_window_ns = 2 * NS_PER_S;
}
