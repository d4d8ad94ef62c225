/* Faults for one directory, under the feet of an unchanged program: cc -shared -fPIC, LD_PRELOAD.

   IOFAULT_DIR      only files below it are touched
   IOFAULT_CONTROL  a file that is read before each call; it may change at any time
   IOFAULT_UNDO     a directory: what was overwritten and not yet synced is kept in it, so that
                    whoever kills us can take it back, as a power loss would

   The control file holds a generation, the wall clock's shift in milliseconds and one rule:

       GENERATION SHIFT CALL NAME AFTER ACTION ARGUMENT

   CALL is write, sync, open (for writing), any or none; NAME is part of a file's name; the rule
   holds from the call after so many. ACTION is errno, sleep (ms, then goes on), lie (a sync that
   did not happen), die, or torn (half a write, then die). */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct rule {
    long generation, after, argument;
    long long shift_ms;
    char call[16], name[64], action[16];
};

static atomic_long calls, generation;

static int read_rule(struct rule *rule) {
    static _Thread_local int busy;
    const char *path = getenv("IOFAULT_CONTROL");
    char text[256];
    if (path == NULL || busy) return 0;
    busy = 1;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t size = fd < 0 ? -1 : syscall(SYS_read, fd, text, sizeof text - 1);
    if (fd >= 0) syscall(SYS_close, fd);
    busy = 0;
    if (size <= 0) return 0;
    text[size] = 0;
    return sscanf(text, "%ld %lld %15s %63s %ld %15s %ld", &rule->generation, &rule->shift_ms,
                  rule->call, rule->name, &rule->after, rule->action, &rule->argument) == 7;
}

static int ours(const char *path) {
    const char *dir = getenv("IOFAULT_DIR");
    return dir != NULL && strncmp(path, dir, strlen(dir)) == 0;
}

static int path_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return ours(path);
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); }

/* Whether the rule strikes this call. What needs no return value happens here. */
static int strikes(const char *call, const char *path, struct rule *rule) {
    if (!read_rule(rule) || strstr(path, rule->name) == NULL) return 0;
    if (strcmp(rule->call, "any") != 0 && strcmp(rule->call, call) != 0) return 0;
    if (atomic_exchange(&generation, rule->generation) != rule->generation) calls = 0;
    if (atomic_fetch_add(&calls, 1) < rule->after) return 0;
    if (strcmp(rule->action, "die") == 0) die();
    if (strcmp(rule->action, "sleep") == 0) {
        struct timespec pause = {rule->argument / 1000, rule->argument % 1000 * 1000000};
        syscall(SYS_nanosleep, &pause, NULL);
        return 0;
    }
    return 1;
}

/* Undo: records of (offset, size before, bytes before, those bytes), the newest last. */

static int undo_of(const char *path, int flags) {
    const char *dir = getenv("IOFAULT_UNDO");
    char name[4096];
    if (dir == NULL || strstr(path, "-shm") != NULL) return -1;
    snprintf(name, sizeof name, "%s/%s", dir, strrchr(path, '/') + 1);
    return (int)syscall(SYS_openat, AT_FDCWD, name, flags | O_WRONLY | O_CLOEXEC, 0600);
}

static void remember(int fd, const char *path, off_t at, size_t length) {
    struct stat state;
    int undo = undo_of(path, O_CREAT | O_APPEND);
    if (undo < 0) return;
    if (fstat(fd, &state) == 0) {
        int64_t before = at >= state.st_size ? 0 : state.st_size - at;
        if (before > (int64_t)length) before = (int64_t)length;
        int64_t head[3] = {at, state.st_size, before};
        char *record = malloc(sizeof head + (size_t)before);
        int from = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
        memcpy(record, head, sizeof head);
        if (from >= 0) {
            syscall(SYS_pread64, from, record + sizeof head, (size_t)before, at);
            syscall(SYS_close, from);
        }
        syscall(SYS_write, undo, record, sizeof head + (size_t)before);
        free(record);
    }
    syscall(SYS_close, undo);
}

static void forget(const char *path) {
    int undo = undo_of(path, O_TRUNC);
    if (undo >= 0) syscall(SYS_close, undo);
}

static ssize_t faulty_pwrite(int fd, const void *data, size_t size, off_t at) {
    char path[4096];
    struct rule rule;
    if (path_of(fd, path, sizeof path)) {
        if (strikes("write", path, &rule)) {
            if (strcmp(rule.action, "torn") == 0) {
                syscall(SYS_pwrite64, fd, data, size / 2, at);
                die();
            }
            errno = (int)rule.argument;
            return -1;
        }
        remember(fd, path, at, size);
    }
    return syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return faulty_pwrite(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return faulty_pwrite(fd, data, size, at);
}

static int faulty_truncate(int fd, off_t size) {
    char path[4096];
    struct rule rule;
    if (path_of(fd, path, sizeof path)) {
        struct stat state;
        if (strikes("write", path, &rule)) {
            errno = (int)rule.argument;
            return -1;
        }
        if (fstat(fd, &state) == 0 && state.st_size > size)
            remember(fd, path, size, (size_t)(state.st_size - size));
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size) { return faulty_truncate(fd, size); }
int ftruncate64(int fd, off64_t size) { return faulty_truncate(fd, size); }

static int faulty_sync(int fd, long number) {
    char path[4096];
    struct rule rule;
    if (path_of(fd, path, sizeof path)) {
        if (strikes("sync", path, &rule)) {
            if (strcmp(rule.action, "lie") == 0) return 0;
            errno = (int)rule.argument;
            return -1;
        }
        forget(path);
    }
    return (int)syscall(number, fd);
}

int fsync(int fd) { return faulty_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return faulty_sync(fd, SYS_fdatasync); }

static int faulty_open(int dir, const char *path, int flags, mode_t mode) {
    struct rule rule;
    int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
    if (ours(path) && writes && strikes("open", path, &rule)) {
        errno = (int)rule.argument;
        return -1;
    }
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define OPEN(NAME, FLAG)                                     \
    int NAME(const char *path, int flags, ...) {             \
        va_list rest;                                        \
        va_start(rest, flags);                               \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                        \
        return faulty_open(AT_FDCWD, path, flags | FLAG, mode); \
    }
OPEN(open, 0)
OPEN(open64, O_LARGEFILE)

/* The wall clock; no other. */

static long long shift(void) {
    struct rule rule;
    return read_rule(&rule) ? rule.shift_ms : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        long long ns = now->tv_nsec + shift() * 1000000LL % 1000000000LL;
        now->tv_sec += shift() / 1000 + (ns >= 1000000000LL) - (ns < 0);
        now->tv_nsec = (ns + 1000000000LL) % 1000000000LL;
    }
    return result;
}
