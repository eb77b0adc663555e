// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the nodes of one run meet: datagrams, broadcast on every interface.
 *
 * A node's state is the number of meetings it has come to and the numbers it
 * gave at the last two.  A node that waits repeats its state until it has heard
 * that all others have come too; a node that does not wait only answers those
 * that are not ahead of it.  So nothing is sent while a measurement runs, and a
 * lost datagram costs 20 ms.  Nodes are never more than one meeting apart, which
 * is why two numbers are enough.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "prog.h"

#define PORT 7411
#define MAGIC 0x636f6866u
#define REPEAT_MS 20
#define MAX_INTERFACES 8

enum { F_WAITING = 1, F_FAILED = 2, F_LEAVING = 4 };

struct message {
	uint32_t magic;
	uint32_t run;
	uint16_t node;
	uint16_t flags;
	uint32_t meeting;
	uint64_t number[2];	/* [meeting % 2] is the latest */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects the two below */
static struct message self;
static struct message heard[MAX_NODES];
static pthread_cond_t news;
static int sock = -1;
static struct sockaddr_in targets[MAX_INTERFACES];
static unsigned int nr_targets;

static void broadcast(const struct message *m)
{
	for (unsigned int i = 0; i < nr_targets; i++)
		sendto(sock, m, sizeof(*m), MSG_DONTWAIT, (void *)&targets[i],
		       sizeof(targets[i]));
}

static void find_interfaces(void)
{
	struct ifaddrs *all;

	SYS(getifaddrs(&all));
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		struct sockaddr_in *addr = (void *)i->ifa_addr;
		struct sockaddr_in *mask = (void *)i->ifa_netmask;

		if (!addr || addr->sin_family != AF_INET || !mask ||
		    !(i->ifa_flags & IFF_UP) || nr_targets == MAX_INTERFACES)
			continue;
		targets[nr_targets++] = (struct sockaddr_in) {
			.sin_family = AF_INET,
			.sin_port = htons(PORT),
			.sin_addr.s_addr = addr->sin_addr.s_addr |
					   ~mask->sin_addr.s_addr,
		};
	}
	freeifaddrs(all);
}

static void receive(void)
{
	struct message m;
	bool failed, answer;

	if (recv(sock, &m, sizeof(m), MSG_DONTWAIT) != sizeof(m))
		return;
	if (m.magic != MAGIC || m.run != prog.run || m.node >= prog.nodes ||
	    m.node == prog.node)
		return;
	pthread_mutex_lock(&lock);
	failed = m.flags & F_FAILED;
	answer = m.flags & F_WAITING && m.meeting <= self.meeting;
	if (m.meeting >= heard[m.node].meeting)
		heard[m.node] = m;
	if (answer) {
		m = self;
		/* An answer must not ask for an answer. */
		m.flags &= ~F_WAITING;
		broadcast(&m);
	}
	pthread_cond_broadcast(&news);
	pthread_mutex_unlock(&lock);
	if (failed) {
		printf("not ok %s: node %d: %s: stopped, another node failed\n",
		       prog.name, prog.node, prog.step);
		fflush(stdout);
		_exit(3);
	}
}

static void *run(void *unused)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };

	(void)unused;
	for (;;) {
		bool waiting;

		pthread_mutex_lock(&lock);
		waiting = self.flags & F_WAITING;
		pthread_mutex_unlock(&lock);
		if (poll(&p, 1, REPEAT_MS) > 0) {
			receive();
		} else if (waiting) {
			pthread_mutex_lock(&lock);
			broadcast(&self);
			pthread_mutex_unlock(&lock);
		}
	}
	return NULL;
}

void sync_start(void)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	pthread_condattr_t attr;
	pthread_t thread;
	int one = 1;

	if (prog.nodes == 1)
		return;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&news, &attr);
	self = (struct message) {
		.magic = MAGIC,
		.run = prog.run,
		.node = prog.node,
	};
	sock = SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	SYS(setsockopt(sock, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)));
	SYS(setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	SYS(bind(sock, (void *)&any, sizeof(any)));
	find_interfaces();
	if (pthread_create(&thread, NULL, run, NULL))
		fail("cannot start a thread");
}

static bool all_came(uint32_t meeting)
{
	for (int i = 0; i < prog.nodes; i++)
		if (i != prog.node && heard[i].meeting < meeting)
			return false;
	return true;
}

uint64_t exchange_at(const char *where, uint64_t mine, uint64_t *all)
{
	uint32_t meeting;
	uint64_t sum = 0;

	if (prog.nodes == 1) {
		if (all)
			all[0] = mine;
		return mine;
	}
	prog.waiting = where;
	pthread_mutex_lock(&lock);
	meeting = ++self.meeting;
	self.number[meeting % 2] = mine;
	self.flags |= F_WAITING;
	broadcast(&self);
	while (!all_came(meeting))
		pthread_cond_wait(&news, &lock);
	self.flags &= ~F_WAITING;
	prog.waiting = NULL;
	for (int i = 0; i < prog.nodes; i++) {
		uint64_t number = i == prog.node ? mine :
				  heard[i].number[meeting % 2];

		if (all)
			all[i] = number;
		sum += number;
	}
	pthread_mutex_unlock(&lock);
	return sum;
}

bool others_waiting(void)
{
	bool ret;

	if (prog.nodes == 1)
		return true;
	pthread_mutex_lock(&lock);
	ret = all_came(self.meeting + 1);
	pthread_mutex_unlock(&lock);
	return ret;
}

void sync_fail(void)
{
	struct message m;

	if (sock < 0)
		return;
	m = self;	/* without the lock: whoever holds it may be the one that hangs */
	m.flags |= F_FAILED;
	for (int i = 0; i < 3; i++)
		broadcast(&m);
}

void sync_end(void)
{
	double until = now() + 0.5;
	bool gone = prog.nodes == 1;

	barrier();
	while (!gone && now() < until) {
		pthread_mutex_lock(&lock);
		self.flags |= F_LEAVING;
		broadcast(&self);
		gone = true;
		for (int i = 0; i < prog.nodes; i++)
			if (i != prog.node && !(heard[i].flags & F_LEAVING))
				gone = false;
		pthread_mutex_unlock(&lock);
		if (!gone)
			sleep_for(REPEAT_MS / 1e3);
	}
}
