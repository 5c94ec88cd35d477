/* Becoming the user that the store belongs to.
 *
 * Only root can become another user, and the change is for good: groups first, then the group, then
 * the user, and then a look whether the way back is closed (setuid(0) must fail). All others return
 * at once, and the system's permissions decide. */
#include "crumb/core/user.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void name_of(uid_t uid, char out[USER_NAME])
{
	const struct passwd *u = getpwuid(uid);
	if (u)
		snprintf(out, USER_NAME, "%s", u->pw_name);
	else
		snprintf(out, USER_NAME, "%u", (unsigned)uid);
}

static enum err become(uid_t uid, gid_t gid)
{
	char name[USER_NAME];
	name_of(uid, name);
	if (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0 || setuid(0) == 0)
		return err_sys("cannot become '%s'", name);
	return OK;
}

static enum err find_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *u = getpwnam(name);
	if (!u || u->pw_uid == 0)
		return err_set(
		    ERR_USAGE, "process.user: there is no user '%s' who is not root", name);
	*uid = u->pw_uid;
	*gid = u->pw_gid;
	return OK;
}

/* Two cases are refused: process.user and the store's owner are different users; nobody is named,
 * but the store is not root's. Both would leave files that the owner cannot read. */
enum err user_of_server(const struct config *c)
{
	struct stat st;
	uid_t uid = 0;
	gid_t gid = 0;
	char owner[USER_NAME];
	enum err e = OK;
	if (geteuid() != 0)
		return OK;
	bool there = stat(c->store_path, &st) == 0, named = *c->process_user != 0;
	if (named && (e = find_user(c->process_user, &uid, &gid)))
		return e;
	if (there)
		name_of(st.st_uid, owner);
	if (there && st.st_uid != uid && named)
		return err_set(ERR_USAGE,
		    "process.user is %s, but %s belongs to %s: set process.user=%s, or give it "
		    "away with chown -R %s",
		    c->process_user, c->store_path, owner, owner, c->process_user);
	if (there && st.st_uid != uid)
		return err_set(ERR_USAGE,
		    "%s belongs to %s, and root would leave files in it that %s cannot read: set "
		    "process.user=%s, or start it as %s",
		    c->store_path, owner, owner, owner, owner);
	return named ? become(uid, gid) : OK;
}

/* A command does not judge: it becomes whoever owns the store. */
enum err user_of_command(const struct config *c, char who[USER_NAME])
{
	struct stat st;
	uid_t uid = 0;
	gid_t gid = 0;
	enum err e = OK;
	*who = 0;
	if (geteuid() != 0)
		return OK;
	if (stat(c->store_path, &st) == 0)
		uid = st.st_uid, gid = st.st_gid;
	else if (*c->process_user)
		e = find_user(c->process_user, &uid, &gid);
	if (e || uid == 0)
		return e;
	name_of(uid, who);
	return become(uid, gid);
}
