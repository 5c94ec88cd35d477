/* A disk that forgets, when the power fails, whatever was not synced: bytes of files until fsync(), fdatasync() or a write to a file opened with O_DSYNC; names until
 * their folder is synced. Before each change what it takes to undo it is kept; a sync drops that; a power cut undoes what is left, newest first. It is as
 * strict as POSIX: what a file system makes last by itself (ext4 keeps the name of a file that was synced) does not last here.
 *
 * Each function does what the call of its name does, and is nothing but that until power_begin(). Any thread: one change at a time. */
#ifndef CRUMB_TEST_POWER_H
#define CRUMB_TEST_POWER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Watches files below `root`, which is a path without links; what has to be set aside goes to the folder `aside` of the same file system. */
void power_begin(const char *root, const char *aside);

/* The power is off. With `some`, a part of what was not synced had reached the disk, by blocks of 4096 bytes in no order, and names up to some moment. */
void power_cut(bool some, uint64_t dice);
void power_over(void); /* after that: the program ends by itself, and what it does on its way is not watched */

ssize_t power_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t power_pwritev(int fd, const struct iovec *v, int n, off_t at);
ssize_t power_write(int fd, const void *p, size_t n);
ssize_t power_writev(int fd, const struct iovec *v, int n);
int power_sync(int fd, bool data);
int power_ftruncate(int fd, off_t n);
int power_fallocate(int fd, int mode, off_t at, off_t n);
int power_open(int folder, const char *path, int flags, mode_t mode);
FILE *power_fopen(FILE *(*real)(const char *, const char *), const char *path, const char *mode);
int power_rename(const char *from, const char *to);
int power_link(int folder, const char *from, int to_folder, const char *to, int flags);
int power_unlink(const char *path);
int power_mkdir(const char *path, mode_t mode);
int power_rmdir(const char *path);

#endif
