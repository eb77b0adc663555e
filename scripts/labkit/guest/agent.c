// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of a lab node: runs commands for the host.
 *
 * Every TCP connection is one command.  The first frame from the host carries a
 * token and the argument vector; then stdin flows in and stdout, stderr and at
 * last the exit status flow out, each in frames of a type byte, a big-endian
 * length and that many bytes:
 *
 *	C token NUL arg NUL arg NUL ...		host: run this
 *	I bytes					host: stdin; empty means end of file
 *	O bytes, E bytes			node: stdout, stderr
 *	X status				node: exit status, and the end
 *
 * A command lives as long as its connection.  When the host hangs up, for
 * whatever reason, everything in the command's session is killed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT		4455
#define TOKEN_FILE	"/lab/token"
#define MAX_FRAME	(1 << 20)
#define MAX_ARGS	4096
#define HEADER		5

/* One command and the connection it is run for. */
struct command {
	int conn;
	pid_t pid;		/* also its session */
	int in, out, err;	/* our ends of its pipes; -1 once closed */
	int children;		/* signalfd for SIGCHLD */
	char *pending;		/* stdin bytes it has not taken yet */
	size_t pending_len, pending_at;
};

static bool read_all(int fd, void *buf, size_t len)
{
	for (char *at = buf; len;) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

static bool write_all(int fd, const void *buf, size_t len)
{
	for (const char *at = buf; len;) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= n;
	}
	return true;
}

static bool send_frame(int conn, char type, const void *payload, size_t len)
{
	char header[HEADER] = { type };
	uint32_t wire_len = htonl(len);

	memcpy(header + 1, &wire_len, sizeof(wire_len));
	return write_all(conn, header, HEADER) && write_all(conn, payload, len);
}

/*
 * What the host has sent and nobody wants any more, such as the end of stdin, is read
 * before the connection is closed: closing with unread bytes makes TCP reset it, and a
 * reset throws away what has not been sent yet, the exit status for one.
 */
static void hang_up(int conn)
{
	char rest[4096];

	shutdown(conn, SHUT_WR);
	while (read(conn, rest, sizeof(rest)) > 0)
		;
	close(conn);
}

/* The caller frees the payload, which is NUL-terminated; NULL on hang-up. */
static char *receive_frame(int conn, char *type, size_t *len)
{
	char header[HEADER];
	uint32_t wire_len;
	char *payload;

	if (!read_all(conn, header, HEADER))
		return NULL;
	memcpy(&wire_len, header + 1, sizeof(wire_len));
	*type = header[0];
	*len = ntohl(wire_len);
	if (*len > MAX_FRAME)
		return NULL;
	payload = malloc(*len + 1);
	if (!payload)
		return NULL;
	payload[*len] = '\0';
	if (!read_all(conn, payload, *len)) {
		free(payload);
		return NULL;
	}
	return payload;
}

/* The guest's port is reachable by any user of the host; the token is not. */
static bool token_matches(const char *token)
{
	char expected[128] = "";
	FILE *file = fopen(TOKEN_FILE, "re");

	if (!file)
		return false;
	if (!fgets(expected, sizeof(expected), file))
		expected[0] = '\0';
	fclose(file);
	expected[strcspn(expected, "\n")] = '\0';
	return expected[0] && !strcmp(expected, token);
}

/* Splits "token NUL arg NUL arg NUL"; false if it is not a command for us. */
static bool parse_command(char *payload, size_t len, char *argv[])
{
	char *at = payload + strlen(payload) + 1;
	int argc = 0;

	if (!token_matches(payload))
		return false;
	for (; at < payload + len && argc < MAX_ARGS; at += strlen(at) + 1)
		argv[argc++] = at;
	argv[argc] = NULL;
	return argc > 0;
}

static void set_oom_score(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!write_all(fd, score, strlen(score)))
		warn("oom_score_adj");
	close(fd);
}

static void block_sigchld(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	sigprocmask(SIG_BLOCK, set, NULL);
}

static _Noreturn void exec_command(char *argv[], int in, int out, int err_)
{
	sigset_t none;

	setsid();
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err_, STDERR_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	set_oom_score("0");
	execvp(argv[0], argv);
	warn("%s", argv[0]);
	_exit(errno == ENOENT ? 127 : 126);
}

/* False if the node is out of descriptors or processes. */
static bool start_command(struct command *cmd, char *argv[])
{
	int in[2], out[2], err_[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err_, O_CLOEXEC))
		return false;
	cmd->pid = fork();
	if (cmd->pid < 0)
		return false;
	if (!cmd->pid)
		exec_command(argv, in[0], out[1], err_[1]);
	close(in[0]);
	close(out[1]);
	close(err_[1]);
	cmd->in = in[1];
	cmd->out = out[0];
	cmd->err = err_[0];
	fcntl(cmd->in, F_SETFL, O_NONBLOCK);
	fcntl(cmd->out, F_SETFL, O_NONBLOCK);
	fcntl(cmd->err, F_SETFL, O_NONBLOCK);
	return true;
}

/* The session of the process /proc/@name is about, or -1. */
static pid_t session_of(const char *name)
{
	char path[64], stat[512];
	pid_t session = -1;
	ssize_t n;
	char *after;
	int fd;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	stat[n] = '\0';
	/* The command's name may hold anything, but not after the last ')'. */
	after = strrchr(stat, ')');
	if (after)
		sscanf(after, ") %*c %*d %*d %d", &session);
	return session;
}

/*
 * Kills by session because timeout(1) and shells with job control give their
 * children process groups of their own.  Repeats while it finds anything, since
 * a process may fork between being listed and being killed.  A process stuck in
 * the kernel stays listed; it dies when it gets out, so rounds are bounded.
 */
static void kill_session(pid_t session)
{
	for (int found = 1, rounds = 0; found && rounds < 10; rounds++) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		found = 0;
		if (!proc)
			return;
		while ((entry = readdir(proc))) {
			pid_t pid = atoi(entry->d_name);

			if (pid > 0 && session_of(entry->d_name) == session) {
				kill(pid, SIGKILL);
				found++;
			}
		}
		closedir(proc);
	}
}

/* Passes on what a pipe holds; false when the connection is gone. */
static bool forward_output(struct command *cmd, int *pipe_fd, char type)
{
	static char buf[65536];

	while (*pipe_fd >= 0) {
		ssize_t n = read(*pipe_fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			close(*pipe_fd);
			*pipe_fd = -1;
			return true;
		}
		if (!send_frame(cmd->conn, type, buf, n))
			return false;
	}
	return true;
}

static void close_stdin(struct command *cmd)
{
	if (cmd->in >= 0)
		close(cmd->in);
	cmd->in = -1;
	free(cmd->pending);
	cmd->pending = NULL;
}

static void write_stdin(struct command *cmd)
{
	ssize_t n = write(cmd->in, cmd->pending + cmd->pending_at,
			  cmd->pending_len - cmd->pending_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		close_stdin(cmd);
		return;
	}
	cmd->pending_at += n;
	if (cmd->pending_at == cmd->pending_len) {
		free(cmd->pending);
		cmd->pending = NULL;
	}
}

/* False when the host has hung up. */
static bool receive_stdin(struct command *cmd)
{
	size_t len;
	char type;
	char *payload = receive_frame(cmd->conn, &type, &len);

	if (!payload)
		return false;
	if (type != 'I' || !len || cmd->in < 0) {
		free(payload);
		if (!len)
			close_stdin(cmd);
		return true;
	}
	cmd->pending = payload;
	cmd->pending_len = len;
	cmd->pending_at = 0;
	return true;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * The command is over when its first process is: what is still in the pipes is
 * passed on, but a daemon it left behind, holding them open, is not waited for.
 */
static void finish_command(struct command *cmd, int status)
{
	unsigned char code = exit_status(status);

	if (!forward_output(cmd, &cmd->out, 'O') || !forward_output(cmd, &cmd->err, 'E') ||
	    !send_frame(cmd->conn, 'X', &code, 1))
		warn("the end of command %d", cmd->pid);
}

/*
 * Serves a running command until it ends or the host hangs up.
 * Return: why it did not get to its end, NULL if it did
 */
static const char *serve_command(struct command *cmd)
{
	enum { CONN, OUT, ERR, IN, CHILD, COUNT };

	for (;;) {
		struct pollfd fds[COUNT] = {
			/* Not reading on while stdin is full is the flow control. */
			[CONN] = { cmd->conn, cmd->pending ? POLLRDHUP : POLLIN | POLLRDHUP, 0 },
			[OUT] = { cmd->out, POLLIN, 0 },
			[ERR] = { cmd->err, POLLIN, 0 },
			[IN] = { cmd->pending ? cmd->in : -1, POLLOUT, 0 },
			[CHILD] = { cmd->children, POLLIN, 0 },
		};
		int status;

		if (poll(fds, COUNT, -1) < 0 && errno != EINTR)
			return "poll";
		if (waitpid(cmd->pid, &status, WNOHANG) == cmd->pid) {
			finish_command(cmd, status);
			return NULL;
		}
		if (fds[CHILD].revents) {
			struct signalfd_siginfo info;

			if (read(cmd->children, &info, sizeof(info)) < 0)
				return "signalfd";
		}
		if (fds[OUT].revents && !forward_output(cmd, &cmd->out, 'O'))
			return "output";
		if (fds[ERR].revents && !forward_output(cmd, &cmd->err, 'E'))
			return "error output";
		if (fds[IN].revents)
			write_stdin(cmd);
		if (fds[CONN].revents & (POLLRDHUP | POLLHUP | POLLERR))
			return "hang-up";
		if (fds[CONN].revents & POLLIN && !receive_stdin(cmd))
			return "input";
	}
}

static void serve_connection(int conn)
{
	static char *argv[MAX_ARGS + 1];
	struct command cmd = { .conn = conn };
	const char *why;
	sigset_t sigchld;
	char *payload;
	size_t len;
	char type;

	payload = receive_frame(conn, &type, &len);
	if (!payload || type != 'C' || !parse_command(payload, len, argv)) {
		fprintf(stderr, "agent: no command: %s\n", strerror(errno));
		return;
	}
	block_sigchld(&sigchld);
	cmd.children = signalfd(-1, &sigchld, SFD_CLOEXEC | SFD_NONBLOCK);
	if (cmd.children < 0 || !start_command(&cmd, argv)) {
		static const char reason[] = "agent: cannot start a process\n";

		if (send_frame(conn, 'E', reason, sizeof(reason) - 1))
			send_frame(conn, 'X', "\x7e", 1);
		return;
	}
	free(payload);
	why = serve_command(&cmd);
	if (why) {
		fprintf(stderr, "agent: command %d ends early: %s: %s\n", cmd.pid, why,
			strerror(errno));
		kill_session(cmd.pid);
	}
}

static int listen_for_host(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_ANY),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 128))
		err(1, "listen");
	return fd;
}

static void accept_one(int listener)
{
	int conn = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int one = 1;
	pid_t pid;

	if (conn < 0) {
		warn("accept");
		return;
	}
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	pid = fork();
	if (pid < 0)
		warn("fork");
	if (!pid) {
		close(listener);
		serve_connection(conn);
		hang_up(conn);
		_exit(0);
	}
	close(conn);
}

int main(void)
{
	sigset_t sigchld;
	int listener, children;

	signal(SIGPIPE, SIG_IGN);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	set_oom_score("-1000");
	block_sigchld(&sigchld);
	children = signalfd(-1, &sigchld, SFD_CLOEXEC | SFD_NONBLOCK);
	listener = listen_for_host();
	printf("lab: node ready\n");
	fflush(stdout);
	for (;;) {
		struct pollfd fds[] = { { listener, POLLIN, 0 }, { children, POLLIN, 0 } };
		struct signalfd_siginfo info;

		poll(fds, 2, -1);
		if (fds[1].revents && read(children, &info, sizeof(info)) < 0 && errno != EAGAIN)
			warn("signalfd");
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (fds[0].revents)
			accept_one(listener);
	}
}
