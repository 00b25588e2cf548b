/* SPDX-License-Identifier: BSD-2-Clause */
#include "request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A word of the line: not terminated. */
struct word {
	const char *at;
	size_t bytes;
};

static bool word_is(struct word w, const char *s)
{
	return w.bytes == strlen(s) && !memcmp(w.at, s, w.bytes);
}

static struct word next_word(const char **at, const char *end)
{
	struct word w;

	while (*at < end && **at == ' ')
		(*at)++;
	w.at = *at;
	while (*at < end && **at != ' ')
		(*at)++;
	w.bytes = (size_t)(*at - w.at);
	return w;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Cut at text_bytes - 1; what could confuse a log or a terminal becomes '?'. */
static int decode(struct word w, char *text, size_t text_bytes)
{
	size_t out = 0;
	int high, low;
	unsigned char c;

	for (size_t i = 0; i < w.bytes; i++) {
		c = (unsigned char)w.at[i];
		if (c == '%') {
			high = i + 2 < w.bytes ? hex(w.at[i + 1]) : -1;
			low = i + 2 < w.bytes ? hex(w.at[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -EINVAL;
			c = (unsigned char)(high << 4 | low);
			i += 2;
		}
		if (out + 1 < text_bytes)
			text[out++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
	text[out] = 0;
	return 0;
}

/* Only printable ASCII of a bad word may come back in a message. */
static int refuse(const char *what, struct word w, char *err, size_t err_bytes)
{
	char shown[40];
	size_t n = w.bytes < sizeof(shown) - 1 ? w.bytes : sizeof(shown) - 1;

	for (size_t i = 0; i < n; i++)
		shown[i] = w.at[i] > 0x20 && w.at[i] < 0x7f ? w.at[i] : '?';
	shown[n] = 0;
	snprintf(err, err_bytes, "%s '%s'", what, shown);
	return -EINVAL;
}

static int take_format(struct fr_request *r, struct word value)
{
	static const char *const names[] = {
		[FR_FORMAT_TEXT] = "text",
		[FR_FORMAT_JSON] = "json",
		[FR_FORMAT_PROMETHEUS] = "prometheus",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (word_is(value, names[i])) {
			r->format = (enum fr_format)i;
			return 0;
		}
	return -EINVAL;
}

static int take_wait(struct fr_request *r, struct word value)
{
	r->wait = word_is(value, "1");
	return r->wait || word_is(value, "0") ? 0 : -EINVAL;
}

static int take_reason(struct fr_request *r, struct word value)
{
	return decode(value, r->reason, sizeof(r->reason));
}

static const struct {
	enum fr_verb verb;
	const char *name;
	int (*take)(struct fr_request *r, struct word value);
} keys[] = {
	{ FR_VERB_STATUS, "format", take_format },
	{ FR_VERB_TRIGGER, "reason", take_reason },
	{ FR_VERB_TRIGGER, "wait", take_wait },
};

static const char *const verbs[] = {
	[FR_VERB_STATUS] = "status", [FR_VERB_TRIGGER] = "trigger", [FR_VERB_LIST] = "list",
	[FR_VERB_RELOAD] = "reload", [FR_VERB_STOP] = "stop",
};
_Static_assert(sizeof(verbs) / sizeof(verbs[0]) == FR_VERB_CNT, "each verb has a name");

static int take_key(struct fr_request *r, struct word w, char *err, size_t err_bytes)
{
	const char *equals = memchr(w.at, '=', w.bytes);
	struct word key, value;

	if (!equals)
		return refuse("this is no key=value:", w, err, err_bytes);
	key = (struct word){ w.at, (size_t)(equals - w.at) };
	value = (struct word){ equals + 1, w.bytes - key.bytes - 1 };
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].verb != r->verb || !word_is(key, keys[i].name))
			continue;
		return keys[i].take(r, value) ? refuse("bad value in", w, err, err_bytes) : 0;
	}
	return refuse("this verb has no key", key, err, err_bytes);
}

int fr_request_parse(const char *line, size_t line_bytes, struct fr_request *ret_request, char *err,
		     size_t err_bytes)
{
	const char *at = line, *end = line + line_bytes;
	struct fr_request r = { .verb = FR_VERB_CNT };
	struct word w = next_word(&at, end);

	for (unsigned int i = 0; i < FR_VERB_CNT; i++)
		if (word_is(w, verbs[i]))
			r.verb = (enum fr_verb)i;
	if (r.verb == FR_VERB_CNT)
		return refuse("unknown verb (there are status, trigger, list, reload, stop):", w,
			      err, err_bytes);
	for (w = next_word(&at, end); w.bytes; w = next_word(&at, end))
		if (take_key(&r, w, err, err_bytes))
			return -EINVAL;
	*ret_request = r;
	return 0;
}
