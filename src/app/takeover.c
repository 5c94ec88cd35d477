/* Two processes at one store: how the sockets of one come to the other. takeover.h draws the
 * conversation; here is the old process's side, which is driven by events, and the new one's, which
 * waits for each message with a time-out.
 *
 * Who may take over: a process of the same user, or root's. The kernel says whose process is at the
 * other end (SO_PEERCRED). One conversation is had at a time; a second one is hung up on. */
#include "takeover.h"

#include "crumb/base/str.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO "take over 1"
#define WORD_MOST 64
#define SEND_S 2    /* the other process reads a message within this time, or gets no more */
#define ANSWER_S 10 /* the old process lists its sockets within this time */
#define LEAVE_S 120 /* and lets go of the store within this time */

/* The old process's side. Main thread. */
struct takeover {
	int folder;   /* of the store */
	int fd;	      /* listens */
	int client;   /* the new process; -1: none is there */
	bool greeted; /* the client has said HELLO and was given the sockets */
	struct event *accept_ev, *client_ev;
	struct event_base *base;
	void (*mine)(void *, struct sockets *);
	void (*asked)(void *, int);
	void *arg;
};

/* The address of a socket has room for a path of 107 bytes, and the store's path may be longer. So
 * the folder is opened, and the socket is reached through the descriptor. */
static enum err open_folder(const char *store, struct sockaddr_un *out, int *folder)
{
	int fd = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys_path(store);
	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/takeover", fd);
	*folder = fd;
	return OK;
}

bool takeover_send(int to, const char *word, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.space = {0}};
	struct iovec text = {(void *)(uintptr_t)word, strlen(word)};
	struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1};
	if (fd >= 0) {
		m.msg_control = control.space;
		m.msg_controllen = sizeof control.space;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	ssize_t n;
	do
		n = sendmsg(to, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

/* Receives one message, and the descriptor that comes with it (-1: none). Returns its length; 0:
 * the other process is gone; less: nothing came in time. */
static ssize_t receive(int from, char word[WORD_MOST], int *fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec text = {word, WORD_MOST - 1};
	struct msghdr m = {.msg_iov = &text,
	    .msg_iovlen = 1,
	    .msg_control = control.space,
	    .msg_controllen = sizeof control.space};
	ssize_t n;
	do
		n = recvmsg(from, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*fd = -1;
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	word[n > 0 ? n : 0] = 0;
	return n;
}

static void set_patience(int fd, int what, long seconds)
{
	setsockopt(fd, SOL_SOCKET, what, &(struct timeval){seconds, 0}, sizeof(struct timeval));
}

/* --- the old process */

/* The conversation is over; another process may begin one. */
static void hang_up(struct takeover *t)
{
	if (t->client_ev)
		event_free(t->client_ev);
	t->client_ev = NULL;
	if (t->client >= 0)
		close(t->client);
	t->client = -1;
	t->greeted = false;
}

static bool give_listeners(const struct takeover *t)
{
	struct sockets mine = {0};
	bool sent = true;
	t->mine(t->arg, &mine);
	for (size_t i = 0; i < mine.n && sent; i++)
		sent = takeover_send(t->client, socket_names[mine.v[i].role], mine.v[i].fd);
	free(mine.v); /* they stay open */
	return sent && takeover_send(t->client, "that is all", -1);
}

/* HELLO, then "go"; whoever says anything else is hung up on. */
static void on_message(evutil_socket_t client, short what, void *arg)
{
	struct takeover *t = arg;
	char word[WORD_MOST];
	int fd;
	(void)what;
	ssize_t n = receive((int)client, word, &fd);
	if (fd >= 0)
		close(fd);
	if (n > 0 && !t->greeted && strcmp(word, HELLO) == 0 && give_listeners(t)) {
		t->greeted = true;
	} else if (n > 0 && t->greeted && strcmp(word, "go") == 0) {
		int to = t->client;
		t->client = -1;
		hang_up(t);
		t->asked(t->arg, to);
	} else {
		hang_up(t);
	}
}

static bool may_take_over(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == geteuid() || who.uid == 0);
}

static void on_connect(evutil_socket_t fd, short what, void *arg)
{
	struct takeover *t = arg;
	(void)what;
	int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		return;
	if (!may_take_over(client) || t->client >= 0) {
		close(client);
		return;
	}
	set_patience(client, SO_SNDTIMEO, SEND_S);
	t->client = client;
	t->client_ev = event_new(t->base, client, EV_READ | EV_PERSIST, on_message, t);
	if (!t->client_ev || event_add(t->client_ev, NULL) != 0)
		hang_up(t);
}

enum err takeover_offer(const char *store, struct event_base *base,
    void (*mine)(void *arg, struct sockets *out), void (*asked)(void *arg, int to), void *arg,
    struct takeover **out)
{
	struct sockaddr_un where;
	struct takeover *t = malloc(sizeof *t);
	if (!t)
		return err_set(ERR_NOMEM, "no memory");
	*t = (struct takeover){.folder = -1,
	    .fd = -1,
	    .client = -1,
	    .base = base,
	    .mine = mine,
	    .asked = asked,
	    .arg = arg};
	enum err e = open_folder(store, &where, &t->folder);
	if (!e) {
		/* A socket that is there is of a process that was killed: the store is ours. */
		unlinkat(t->folder, "takeover", 0);
		t->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (t->fd < 0 || bind(t->fd, (struct sockaddr *)&where, sizeof where) != 0 ||
		    listen(t->fd, 4) != 0)
			e = err_sys("%s/takeover", store);
	}
	t->accept_ev = e ? NULL : event_new(base, t->fd, EV_READ | EV_PERSIST, on_connect, t);
	if (!e && (!t->accept_ev || event_add(t->accept_ev, NULL) != 0))
		e = err_set(ERR_NOMEM, "no memory");
	if (e)
		takeover_close(t);
	else
		*out = t;
	return e;
}

void takeover_close(struct takeover *t)
{
	if (!t)
		return;
	hang_up(t);
	if (t->accept_ev)
		event_free(t->accept_ev);
	if (t->fd >= 0) {
		unlinkat(t->folder, "takeover", 0);
		close(t->fd);
	}
	if (t->folder >= 0)
		close(t->folder);
	free(t);
}

bool takeover_wait(int to)
{
	char word[WORD_MOST];
	int fd;
	while (receive(to, word, &fd) > 0) {
		if (fd >= 0)
			close(fd);
		if (strcmp(word, "ready") == 0)
			return true;
	}
	return false;
}

/* --- the new process */

/* Takes the sockets that come until the last word. Returns as receive() does. Roles that are not
 * known are of a newer version, and are closed. */
static ssize_t take_sockets(int from, const char *last, struct sockets *out)
{
	char word[WORD_MOST];
	enum socket_role role;
	int fd;
	ssize_t n;
	while ((n = receive(from, word, &fd)) > 0 && strcmp(word, last) != 0) {
		if (fd < 0)
			continue;
		if (socket_role(word, (size_t)n, &role))
			sockets_add(out, role, fd);
		else
			close(fd);
	}
	return n;
}

enum err takeover_ask(const char *store, struct sockets *out, int *from)
{
	struct sockaddr_un where;
	int folder = -1;
	*from = -1;
	enum err e = open_folder(store, &where, &folder);
	if (e)
		return e == ERR_NOT_FOUND ? OK : e; /* there is no store yet */
	int to = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool there = to >= 0 && connect(to, (struct sockaddr *)&where, sizeof where) == 0;
	int why = errno;
	close(folder);
	if (!there) {
		if (to >= 0)
			close(to);
		errno = why;
		return why == ENOENT || why == ECONNREFUSED ? OK : err_sys("%s/takeover", store);
	}
	set_patience(to, SO_RCVTIMEO, ANSWER_S);
	ssize_t n = takeover_send(to, HELLO, -1) ? take_sockets(to, "that is all", out) : 0;
	if (n <= 0) {
		close(to);
		return err_set(ERR_BUSY,
		    "the server that runs does not give up its sockets: it is of another version "
		    "or another user, or is being taken over already; stop it first");
	}
	*from = to;
	return OK;
}

enum err takeover_go(int from, struct sockets *out)
{
	set_patience(from, SO_RCVTIMEO, LEAVE_S);
	/* 0: the old process has ended without a word. Its lock of the store is gone, too. */
	ssize_t n = takeover_send(from, "go", -1) ? take_sockets(from, "released", out) : 0;
	if (n < 0)
		return err_set(ERR_BUSY,
		    "the server that runs has not let go of the store within %d seconds", LEAVE_S);
	return OK;
}
