/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of settings behind config.h: one row each, the only place that names them. */
#ifndef FR_RECORDER_SETTINGS_H
#define FR_RECORDER_SETTINGS_H

#include "config.h"

#define FR_SETTING_CLI 0x1u    /* only on the command line */
#define FR_SETTING_RELOAD 0x2u /* may change while running */
#define FR_SETTING_PRIVATE 0x4u /* may hold a key: dumps only say whether it is set */

struct fr_setting_row {
	const char *name; /* long option; the file's key has _ for - */
	const char *arg;  /* NULL = a switch */
	const char *help;
	uint32_t flags;
	/* value NULL = given as a switch. 0, or a negative errno and the reason in err. */
	int (*set)(void *config, const char *value, char *err, size_t err_bytes);
	/* In the form that set takes; NULL for what only the command line has. */
	void (*get)(const struct fr_config *config, struct fr_buf *out);
};

extern const struct fr_setting_row fr_setting_rows[];
extern const uint32_t fr_setting_cnt;

/* Row by the file's key ("dump_dir"); NULL if there is none or the file may not have it. */
const struct fr_setting_row *fr_setting_by_key(const char *key);
/* One key of a section [trigger.NAME]. Same results as set(). */
int fr_setting_trigger(struct fr_config *config, const char *trigger, const char *key,
		       const char *value, char *err, size_t err_bytes);
void fr_setting_trigger_get(const struct fr_config *config, enum fr_trigger_kind kind,
			    struct fr_buf *out);
void fr_setting_trigger_defaults(struct fr_config *config);
void fr_setting_defaults(struct fr_config *config);

#endif
