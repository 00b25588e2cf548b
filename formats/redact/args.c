/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Command lines and environments. Which argument is a secret is a guess: by the name before it, by
 * the letter of an option, by its form. Where an argument is a script of its own (sh -c "..."), all
 * behind the first hint goes.
 */
#include "mask.h"

/* Options whose value is taken for a secret, joined or apart; more of them by program. */
static const char common_letters[] = "puH";
static const struct {
	const char *program;
	const char *letters;
} program_letters[] = {
	{ "curl", "bdEFU" },
	{ "redis-cli", "a" },
	{ "wget", "e" },
};

struct line {
	uint8_t *args;
	size_t at, end;	     /* read so far, all */
	size_t to;	     /* written */
	const char *letters; /* of this program */
	bool pending;	     /* the next word is a value */
	uint64_t removed_bytes;
};

static bool is_name_byte(uint8_t b)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') ||
	       b == '_' || b == '-' || b == '.';
}

static bool is_blank(uint8_t b)
{
	return b == ' ' || (b >= '\t' && b <= '\r');
}

static bool is_letter_of(const struct line *l, uint8_t b)
{
	return b && (strchr(common_letters, b) || (l->letters && strchr(l->letters, b)));
}

static bool is_all_name(struct fr_slice s)
{
	for (size_t i = 0; i < s.len_bytes; i++)
		if (!is_name_byte(s.data[i]))
			return false;
	return s.len_bytes;
}

/* NAME=VALUE, "NAME": VALUE, NAME:VALUE: where the value begins; the length when there is none. */
static size_t named_value(struct fr_slice s)
{
	for (size_t i = 1; i < s.len_bytes; i++) {
		size_t end = i, begin;

		if (s.data[i] != '=' && s.data[i] != ':')
			continue;
		while (end && (s.data[end - 1] == '"' || s.data[end - 1] == '\''))
			end--;
		for (begin = end; begin && is_name_byte(s.data[begin - 1]); begin--)
			;
		if (fr_is_secret_name((struct fr_slice){ s.data + begin, end - begin }))
			return i + 1;
	}
	return s.len_bytes;
}

/* The last '@' behind `from`; 0 = none. */
static size_t last_at(struct fr_slice s, size_t from)
{
	size_t at = s.len_bytes;

	while (at > from && s.data[at - 1] != '@')
		at--;
	return at > from ? at - 1 : 0;
}

/* user:password@host, behind "://" or not: [*ret_from, *ret_to) is what goes. */
static bool user_info(struct fr_slice s, bool whole, size_t *ret_from, size_t *ret_to)
{
	const uint8_t *scheme = memmem(s.data, s.len_bytes, "://", 3);
	size_t from = scheme ? (size_t)(scheme - s.data) + 3 : 0, at = 0, i;
	bool has_colon = false;

	for (i = from; i < s.len_bytes && !strchr("/?#", s.data[i]); i++) {
		has_colon |= s.data[i] == ':' && !at;
		if (s.data[i] == '@')
			at = i;
	}
	/* a password may hold any byte, "u:p/w@host"; and an '@' may have been cut off */
	if (!at && scheme && memchr(s.data + from, ':', i - from))
		at = last_at(s, i);
	if (!at && scheme && i == s.len_bytes && !whole)
		at = i;
	if (!at || (!scheme && !has_colon))
		return false;
	*ret_from = from;
	*ret_to = at;
	return true;
}

/* An option: whether its value is a secret. Where that begins in it; 0: the next word is it. */
static bool secret_option(const struct line *l, struct fr_slice s, size_t *ret_value)
{
	size_t dashes = s.len_bytes > 1 && s.data[1] == '-' ? 2 : 1;
	struct fr_slice name = { s.data + dashes, s.len_bytes - dashes };

	*ret_value = 0;
	if (dashes == 1 && name.len_bytes && is_letter_of(l, name.data[0])) {
		*ret_value = name.len_bytes > 1 ? 2 : 0;
		return true;
	}
	if (is_all_name(name) && fr_is_secret_name(name))
		return true;
	/* -sSu user:password */
	return dashes == 1 && name.len_bytes <= 4 && name.len_bytes && is_all_name(name) &&
	       is_letter_of(l, name.data[name.len_bytes - 1]);
}

static void keep(struct line *l, const uint8_t *data, size_t cnt)
{
	memmove(l->args + l->to, data, cnt);
	l->to += cnt;
}

static void star(struct line *l, size_t cnt)
{
	size_t stars = cnt < 3 ? cnt : 3;

	memset(l->args + l->to, '*', stars);
	l->to += stars;
	l->removed_bytes += cnt;
}

/* One word. True: from here to the end of its argument nothing is shown. */
static bool mask_word(struct line *l, struct fr_slice s, bool whole)
{
	bool was_pending = l->pending;
	size_t value, from, to;

	l->pending = false;
	if (s.data[0] == '-' && secret_option(l, s, &value)) {
		if (value && !was_pending) {
			keep(l, s.data, value);
			star(l, s.len_bytes - value);
			return true;
		}
		l->pending = true;
	} else if (!was_pending && is_all_name(s) && s.data[0] != '-' && fr_is_secret_name(s)) {
		l->pending = true;
	}
	if (was_pending) {
		star(l, s.len_bytes);
		return true;
	}
	value = named_value(s);
	if (user_info(s, whole, &from, &to) && from < value) {
		keep(l, s.data, from);
		star(l, to - from);
		if (value < s.len_bytes && value > to) {
			keep(l, s.data + to, value - to);
			star(l, s.len_bytes - value);
			return true;
		}
		keep(l, s.data + to, value < s.len_bytes ? 0 : s.len_bytes - to);
		return value < s.len_bytes;
	}
	keep(l, s.data, value);
	if (value == s.len_bytes) {
		/* "Authorization:" and a blank */
		l->pending |= s.data[value - 1] == ':' && named_value(s) == value &&
			      fr_is_secret_name((struct fr_slice){ s.data, value - 1 });
		return false;
	}
	star(l, s.len_bytes - value);
	return true;
}

/* One argument, without its zero. */
static void mask_argument(struct line *l, struct fr_slice arg, bool whole)
{
	size_t at = 0, end;

	while (at < arg.len_bytes) {
		for (end = at; end < arg.len_bytes && is_blank(arg.data[end]); end++)
			;
		keep(l, arg.data + at, end - at);
		for (at = end; end < arg.len_bytes && !is_blank(arg.data[end]); end++)
			;
		if (at == end)
			return;
		if (mask_word(l, (struct fr_slice){ arg.data + at, end - at },
			      whole || end < arg.len_bytes)) {
			l->removed_bytes += arg.len_bytes - end;
			return;
		}
		at = end;
	}
}

static const char *letters_of(struct fr_slice program)
{
	size_t begin = program.len_bytes;

	while (begin && program.data[begin - 1] != '/')
		begin--;
	program.data += begin;
	program.len_bytes -= begin;
	for (size_t i = 0; i < sizeof(program_letters) / sizeof(program_letters[0]); i++)
		if (fr_slice_is(program, program_letters[i].program))
			return program_letters[i].letters;
	return NULL;
}

size_t fr_redact_args(const struct fr_redact_rules *rules, struct fr_redact_counts *counts,
		      uint8_t *args, size_t args_bytes)
{
	struct line l = { .args = args, .end = args_bytes };
	size_t first = strnlen((const char *)args, args_bytes);

	if (rules->level == FR_REDACT_OFF || !args_bytes)
		return args_bytes;
	l.letters = letters_of((struct fr_slice){ args, first });
	l.at = l.to = first < args_bytes ? first + 1 : first;
	if (rules->level == FR_REDACT_STRICT) {
		counts->removed_bytes[FR_REMOVED_ARGUMENTS] += args_bytes - l.to;
		return l.to;
	}
	while (l.at < args_bytes) {
		size_t cnt = strnlen((const char *)args + l.at, args_bytes - l.at);
		bool whole = l.at + cnt < args_bytes;

		mask_argument(&l, (struct fr_slice){ args + l.at, cnt }, whole);
		if (whole)
			args[l.to++] = 0;
		l.at += cnt + whole;
	}
	counts->removed_bytes[FR_REMOVED_ARGUMENTS] += l.removed_bytes;
	return l.to;
}

/* ---- environment ---------------------------------------------------------------------------- */

/* key=value,key=value: values of keys that promise a secret. Length stays. */
static void mask_attributes(uint8_t *text, size_t cnt, uint64_t *removed_bytes)
{
	size_t begin, equals, end;

	for (begin = 0; begin < cnt; begin = end + 1) {
		for (end = begin; end < cnt && text[end] != ','; end++)
			;
		for (equals = begin; equals < end && text[equals] != '='; equals++)
			;
		if (equals == end ||
		    !fr_is_secret_name((struct fr_slice){ text + begin, equals - begin }))
			continue;
		memset(text + equals + 1, '*', end - equals - 1);
		*removed_bytes += end - equals - 1;
	}
}

size_t fr_redact_environment(struct fr_redact_counts *counts, uint8_t *env, size_t env_bytes)
{
	static const char *const kept[] = { "OTEL_SERVICE_NAME=", "OTEL_RESOURCE_ATTRIBUTES=" };
	uint64_t *removed = &counts->removed_bytes[FR_REMOVED_ENVIRONMENT];
	size_t at, cnt, to = 0;

	for (at = 0; at < env_bytes; at += cnt + 1) {
		bool stays = false;

		cnt = strnlen((const char *)env + at, env_bytes - at);
		/* one without its zero is cut: half a value is a wrong one */
		for (size_t i = 0; i < 2 && at + cnt < env_bytes; i++)
			stays |= cnt > strlen(kept[i]) &&
				 !memcmp(env + at, kept[i], strlen(kept[i]));
		if (!stays) {
			*removed += cnt;
			continue;
		}
		memmove(env + to, env + at, cnt + 1);
		if (env[to + 5] == 'R')
			mask_attributes(env + to + strlen(kept[1]), cnt - strlen(kept[1]), removed);
		to += cnt + 1;
	}
	return to;
}
