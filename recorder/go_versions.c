/* SPDX-License-Identifier: BSD-2-Clause */
#include "go_versions.h"

#include <stdio.h>
#include <string.h>

static const struct fr_go_version *find(const struct fr_go_versions *v,
					const struct fr_binary_key *exe)
{
	for (uint32_t i = 0; exe->inode && i < FR_GO_VERSIONS_MAX; i++)
		if (!memcmp(&v->rows[i].exe, exe, sizeof(*exe)))
			return &v->rows[i];
	return NULL;
}

void fr_go_versions_keep(struct fr_go_versions *v, const struct fr_binary_key *exe,
			 const char *version)
{
	struct fr_go_version *row = &v->rows[v->next % FR_GO_VERSIONS_MAX];

	if (find(v, exe))
		return;
	row->exe = *exe;
	snprintf(row->version, sizeof(row->version), "%s", version);
	v->next++;
}

const char *fr_go_versions_find(const struct fr_go_versions *v, const struct fr_binary_key *exe)
{
	const struct fr_go_version *row = find(v, exe);

	return row ? row->version : NULL;
}
