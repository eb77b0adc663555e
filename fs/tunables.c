// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/config/cohfs/range: how range locks adapt, for all mounts of the node.
 *
 * Nodes may have different values: each decides for itself what it keeps and asks for.
 * The defaults need no tuning; what each does is in struct cohfs_range_tunables.
 */
#include <linux/configfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include "rcache.h"
#include "tunables.h"

static ssize_t store_bounded(const char *page, size_t count, unsigned int *value,
			     unsigned int min, unsigned int max)
{
	unsigned int new;
	int err = kstrtouint(page, 0, &new);

	if (err)
		return err;
	if (new < min || new > max)
		return -ERANGE;
	WRITE_ONCE(*value, new);
	return count;
}

#define RANGE_TUNABLE(name, min, max)						\
static ssize_t range_##name##_show(struct config_item *item, char *page)	\
{										\
	return sysfs_emit(page, "%u\n", READ_ONCE(cohfs_range_tunables.name));	\
}										\
static ssize_t range_##name##_store(struct config_item *item, const char *page,	\
				    size_t count)				\
{										\
	return store_bounded(page, count, &cohfs_range_tunables.name, min, max); \
}										\
CONFIGFS_ATTR(range_, name)

RANGE_TUNABLE(split_max, 1, 1024);
RANGE_TUNABLE(idle_ms, 100, 3600000);
RANGE_TUNABLE(climb_ms, 100, 3600000);
RANGE_TUNABLE(climb_max_ms, 100, 3600000);
RANGE_TUNABLE(locks_max, 64, 16777216);

static struct configfs_attribute *range_attrs[] = {
	&range_attr_split_max,
	&range_attr_idle_ms,
	&range_attr_climb_ms,
	&range_attr_climb_max_ms,
	&range_attr_locks_max,
	NULL,
};

static const struct config_item_type range_type = {
	.ct_attrs = range_attrs,
	.ct_owner = THIS_MODULE,
};

static const struct config_item_type subsys_type = {
	.ct_owner = THIS_MODULE,
};

static struct config_group range_group;

static struct configfs_subsystem subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "cohfs",
			.ci_type = &subsys_type,
		},
	},
};

int __init cohfs_tunables_init(void)
{
	config_group_init(&subsys.su_group);
	mutex_init(&subsys.su_mutex);
	config_group_init_type_name(&range_group, "range", &range_type);
	configfs_add_default_group(&range_group, &subsys.su_group);
	return configfs_register_subsystem(&subsys);
}

void cohfs_tunables_exit(void)
{
	configfs_unregister_subsystem(&subsys);
}
