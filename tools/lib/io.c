// SPDX-License-Identifier: GPL-2.0-only
/* Devices and image files for the tools. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/fs.h>
#include "io.h"

#define ZERO_CHUNK (1u << 20)

void tool_error(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Who has it? -------------------------------------------------------------- */

/* mountinfo writes blanks in paths as \040 and so on */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++, out++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*out = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
				      (s[3] - '0'));
			s += 3;
		} else {
			*out = *s;
		}
	}
	*out = '\0';
}

/* Where is @rdev mounted?  Return: a path to be freed, or NULL. */
static char *mount_point(dev_t rdev)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned int maj, min;
	char *line = NULL, *where = NULL;
	size_t size = 0;
	int from, to;

	if (!f)
		return NULL;
	while (!where && getline(&line, &size, f) > 0) {
		from = to = 0;
		if (sscanf(line, "%*u %*u %u:%u %*s %n%*s%n", &maj, &min, &from, &to) < 2 ||
		    to <= from || makedev(maj, min) != rdev)
			continue;
		where = strndup(line + from, (size_t)(to - from));
		if (where)
			unescape(where);
	}
	free(line);
	fclose(f);
	return where;
}

static void report_busy(const char *path, dev_t rdev)
{
	char *where = mount_point(rdev);

	if (where)
		tool_error("%s is mounted on %s", path, where);
	else
		tool_error("%s is in use (mounted, or part of an array or a volume)", path);
	free(where);
}

/* Is the file behind @st the backing file of loop device @name? */
static bool is_backing(const char *name, const struct stat *st)
{
	char path[512], backing[4096];
	struct stat other;
	FILE *f;
	bool same = false;

	snprintf(path, sizeof(path), "/sys/block/%s/loop/backing_file", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fgets(backing, sizeof(backing), f)) {
		backing[strcspn(backing, "\n")] = '\0';
		same = !stat(backing, &other) && other.st_dev == st->st_dev &&
		       other.st_ino == st->st_ino;
	}
	fclose(f);
	return same;
}

static bool attached_to_loop(const char *path, const struct stat *st)
{
	DIR *dir = opendir("/sys/block");
	bool found = false;
	struct dirent *de;

	if (!dir)
		return false;
	while (!found && (de = readdir(dir))) {
		if (strncmp(de->d_name, "loop", 4) || !is_backing(de->d_name, st))
			continue;
		tool_error("%s is attached to /dev/%s", path, de->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

/* Opening ------------------------------------------------------------------ */

static int open_mode(unsigned int flags)
{
	return O_CLOEXEC | (flags & DEV_WRITE ? O_RDWR : O_RDONLY);
}

static int open_block(struct dev *dev, const struct stat *st, unsigned int flags)
{
	int exclusive = flags & DEV_SHARED ? 0 : O_EXCL;
	unsigned long long bytes = 0;
	int sector = 0;

	dev->is_block = true;
	dev->rdev = st->st_rdev;
	dev->fd = open(dev->path, open_mode(flags) | exclusive);
	if (dev->fd < 0 && errno == EBUSY) {
		report_busy(dev->path, st->st_rdev);
		return -1;
	}
	if (dev->fd < 0) {
		tool_error("cannot open %s: %s", dev->path, strerror(errno));
		return -1;
	}
	if (ioctl(dev->fd, BLKGETSIZE64, &bytes)) {
		tool_error("cannot get the size of %s: %s", dev->path, strerror(errno));
		goto err;
	}
	if (!ioctl(dev->fd, BLKSSZGET, &sector) && sector > 4096) {
		tool_error("%s has sectors of %d bytes, at most 4096 are supported",
			   dev->path, sector);
		goto err;
	}
	dev->bytes = bytes;
	return 0;
err:
	dev_close(dev);
	return -1;
}

static int open_file(struct dev *dev, const struct stat *st, unsigned int flags)
{
	if (!(flags & DEV_SHARED) && attached_to_loop(dev->path, st))
		return -1;
	dev->fd = open(dev->path, open_mode(flags));
	if (dev->fd < 0) {
		tool_error("cannot open %s: %s", dev->path, strerror(errno));
		return -1;
	}
	dev->bytes = (u64)st->st_size;
	return 0;
}

int dev_open(struct dev *dev, const char *path, unsigned int flags)
{
	struct stat st;

	memset(dev, 0, sizeof(*dev));
	dev->path = path;
	dev->fd = -1;
	if (stat(path, &st)) {
		tool_error("cannot open %s: %s", path, strerror(errno));
		return -1;
	}
	if (S_ISBLK(st.st_mode))
		return open_block(dev, &st, flags);
	if (S_ISREG(st.st_mode))
		return open_file(dev, &st, flags);
	tool_error("%s is neither a block device nor a regular file", path);
	return -1;
}

int dev_close(struct dev *dev)
{
	int err = dev->fd >= 0 ? close(dev->fd) : 0;

	dev->fd = -1;
	if (err)
		tool_error("closing %s: %s", dev->path, strerror(errno));
	return err;
}

/* Input and output --------------------------------------------------------- */

static int io_failed(struct dev *dev, const char *what, u64 off, ssize_t n)
{
	tool_error("%s %s at byte %llu: %s", what, dev->path, off,
		   n < 0 ? strerror(errno) : "unexpected end");
	return -1;
}

int dev_read(struct dev *dev, u64 off, void *buf, size_t len)
{
	char *p = buf;
	ssize_t n;

	while (len) {
		n = pread(dev->fd, p, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_failed(dev, "reading", off, n);
		p += n;
		off += (u64)n;
		len -= (size_t)n;
	}
	return 0;
}

int dev_write(struct dev *dev, u64 off, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = pwrite(dev->fd, p, len, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return io_failed(dev, "writing", off, n);
		p += n;
		off += (u64)n;
		len -= (size_t)n;
	}
	return 0;
}

int dev_zero(struct dev *dev, u64 off, u64 len)
{
	static const char zeros[ZERO_CHUNK];
	u64 range[2] = { off, len };
	size_t n;

	if (dev->is_block && !ioctl(dev->fd, BLKZEROOUT, range))
		return 0;
	if (!dev->is_block &&
	    !fallocate(dev->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		       (off_t)off, (off_t)len))
		return 0;
	for (; len; off += n, len -= n) {
		n = len < ZERO_CHUNK ? (size_t)len : ZERO_CHUNK;
		if (dev_write(dev, off, zeros, n))
			return -1;
	}
	return 0;
}

void dev_discard(struct dev *dev)
{
	u64 range[2] = { 0, dev->bytes };

	if (dev->is_block && ioctl(dev->fd, BLKDISCARD, range))
		return;	/* not every device can */
}

int dev_sync(struct dev *dev)
{
	if (!fsync(dev->fd))
		return 0;
	tool_error("flushing %s: %s", dev->path, strerror(errno));
	return -1;
}
