/* SPDX-License-Identifier: BSD-2-Clause */
/* The cgroup filter: from paths as users write them to the numbers that probes compare. */
#ifndef FR_RECORDER_CGROUP_H
#define FR_RECORDER_CGROUP_H

#include "config.h"
#include "features.h"

/*
 * Fills config->filter_cgroup_ids and filter_cgroup_subsys, if that filter is set. A path below a
 * cgroup mount is taken as it is, another one as what /proc/PID/cgroup shows. -EINVAL after a
 * message: no such cgroup, or they lie in different hierarchies.
 */
int fr_cgroup_find(struct fr_config *config, const struct fr_features *features);

#endif
