/* Stands between a program and its disk, and writes down whatever it does to the files of one folder, in order.
 *
 * LD_PRELOAD=record.so POWER_FOLDER=/shop POWER_RECORD=/elsewhere/record xiaopu serve
 *
 * A record is: what happened (1 byte), the file's number (8), where (8), how many bytes follow (4), the bytes; all
 * little-endian. One thing happens at a time, so that the order is the true one. tests/crash/power/disk.rs reads it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPENED = 1, WROTE, CUT, FLUSHED, RENAMED, LINKED, UNLINKED, MADE_FOLDER };
enum { FILES = 65536 };

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;
static char folder[PATH_MAX];
static size_t folder_length;
/* Which open files are of the folder; the number of each. */
static uint64_t numbers[FILES];

__attribute__((constructor)) static void begin(void) {
    const char *to = getenv("POWER_RECORD"), *of = getenv("POWER_FOLDER");
    if (!to || !of || !realpath(of, folder)) return;
    folder_length = strlen(folder);
    record = syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(int what, uint64_t number, uint64_t where, const void *bytes, size_t length) {
    unsigned char head[21];
    uint32_t size = length;
    head[0] = what;
    memcpy(head + 1, &number, 8);
    memcpy(head + 9, &where, 8);
    memcpy(head + 17, &size, 4);
    struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
    if (syscall(SYS_writev, record, parts, length ? 2 : 1) != (long)(sizeof head + length)) abort();
}

/* The name below the folder, or NULL when it is elsewhere. */
static const char *below(const char *path, char *room) {
    char whole[PATH_MAX], *slash;
    if (record < 0 || !path) return NULL;
    if (snprintf(whole, sizeof whole, "%s", path) >= (int)sizeof whole) return NULL;
    /* The file need not be there; its folder must. */
    slash = strrchr(whole, '/');
    const char *name = slash ? slash + 1 : whole;
    char kept[NAME_MAX + 1];
    snprintf(kept, sizeof kept, "%s", name);
    if (slash) *slash = 0;
    char real[PATH_MAX];
    if (!*kept || !strcmp(kept, ".")) {
        if (!realpath(path, real)) return NULL;
        snprintf(room, PATH_MAX, "%s", real);
    } else {
        if (!realpath(slash ? (*whole ? whole : "/") : ".", real)) return NULL;
        if (snprintf(room, PATH_MAX, "%s/%s", real, kept) >= PATH_MAX) return NULL;
    }
    if (strncmp(room, folder, folder_length) || (room[folder_length] && room[folder_length] != '/')) return NULL;
    return room + folder_length + (room[folder_length] == '/');
}

static uint64_t number_of(int fd) { return fd >= 0 && fd < FILES ? numbers[fd] : 0; }

static int opened(int at, const char *path, int flags, mode_t mode) {
    char room[PATH_MAX];
    pthread_mutex_lock(&turn);
    const char *name = at == AT_FDCWD || *path == '/' ? below(path, room) : NULL;
    int fd = syscall(SYS_openat, at, path, flags, mode);
    int kept = errno;
    if (fd >= 0 && fd < FILES) {
        struct stat about;
        numbers[fd] = 0;
        if (name && !fstat(fd, &about)) {
            numbers[fd] = about.st_ino;
            put(OPENED, about.st_ino, (flags & O_TRUNC ? 1 : 0) | (S_ISDIR(about.st_mode) ? 2 : 0), name, strlen(name));
        }
    }
    pthread_mutex_unlock(&turn);
    errno = kept;
    return fd;
}

#define MODE(flags)                                      \
    mode_t mode = 0;                                     \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {             \
        va_list more;                                    \
        va_start(more, flags);                           \
        mode = va_arg(more, int);                        \
        va_end(more);                                    \
    }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return opened(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
    pthread_mutex_lock(&turn);
    if (fd >= 0 && fd < FILES) numbers[fd] = 0;
    int done = syscall(SYS_close, fd);
    pthread_mutex_unlock(&turn);
    return done;
}

/* Everything that changes an open file: done and written down in one turn. */
#define DO(call, done_right, note)                       \
    uint64_t number = number_of(fd);                     \
    if (record < 0 || !number) return call;              \
    pthread_mutex_lock(&turn);                           \
    long done = call;                                    \
    int kept = errno;                                    \
    if (done_right) note;                                \
    pthread_mutex_unlock(&turn);                         \
    errno = kept;                                        \
    return done;

static uint64_t place(int fd, long before) { return syscall(SYS_lseek, fd, 0, SEEK_CUR) - before; }

ssize_t write(int fd, const void *bytes, size_t length) {
    DO(syscall(SYS_write, fd, bytes, length), done > 0, put(WROTE, number, place(fd, done), bytes, done))
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    DO(syscall(SYS_pwrite64, fd, bytes, length, at), done > 0, put(WROTE, number, at, bytes, done))
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return pwrite(fd, bytes, length, at); }
int ftruncate(int fd, off_t length) {
    DO(syscall(SYS_ftruncate, fd, length), !done, put(CUT, number, length, NULL, 0))
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }
int fsync(int fd) { DO(syscall(SYS_fsync, fd), !done, put(FLUSHED, number, 0, NULL, 0)) }
int fdatasync(int fd) { DO(syscall(SYS_fdatasync, fd), !done, put(FLUSHED, number, 0, NULL, 0)) }

/* Roads around the record are closed: whoever is told so copies by reading and writing. */
ssize_t copy_file_range(int a, off64_t *b, int c, off64_t *d, size_t e, unsigned f) {
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t length) {
    (void)at, (void)length;
    if (!number_of(to)) return syscall(SYS_sendfile, to, from, at, length);
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) { return sendfile(to, from, at, length); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (record < 0 || !number_of(fd)) return syscall(SYS_writev, fd, parts, count);
    return write(fd, parts[0].iov_base, parts[0].iov_len);
}
int fallocate(int fd, int mode, off_t at, off_t length) {
    if (!number_of(fd)) return syscall(SYS_fallocate, fd, mode, at, length);
    errno = ENOSYS;
    return -1;
}
int fallocate64(int fd, int mode, off64_t at, off64_t length) { return fallocate(fd, mode, at, length); }

/* What changes names. */
static int named(int what, long (*change)(const char *, const char *), const char *from, const char *to) {
    char a[PATH_MAX], b[PATH_MAX], both[2 * PATH_MAX];
    pthread_mutex_lock(&turn);
    const char *first = below(from, a), *second = to ? below(to, b) : NULL;
    long done = change(from, to);
    int kept = errno;
    if (!done && first && (second || !to)) {
        int length = snprintf(both, sizeof both, "%s%c%s", first, 0, to ? second : "");
        put(what, 0, 0, both, length);
    }
    pthread_mutex_unlock(&turn);
    errno = kept;
    return done;
}
static long do_rename(const char *from, const char *to) { return syscall(SYS_rename, from, to); }
static long do_link(const char *from, const char *to) { return syscall(SYS_link, from, to); }
static long do_unlink(const char *from, const char *to) { (void)to; return syscall(SYS_unlink, from); }
static mode_t made_mode;
static long do_mkdir(const char *from, const char *to) { (void)to; return syscall(SYS_mkdir, from, made_mode); }

int rename(const char *from, const char *to) { return named(RENAMED, do_rename, from, to); }
int link(const char *from, const char *to) { return named(LINKED, do_link, from, to); }
int unlink(const char *path) { return named(UNLINKED, do_unlink, path, NULL); }
int mkdir(const char *path, mode_t mode) { made_mode = mode; return named(MADE_FOLDER, do_mkdir, path, NULL); }
int renameat(int a, const char *from, int b, const char *to) {
    return a == AT_FDCWD && b == AT_FDCWD ? rename(from, to) : (int)syscall(SYS_renameat, a, from, b, to);
}
int linkat(int a, const char *from, int b, const char *to, int flags) {
    return a == AT_FDCWD && b == AT_FDCWD && !flags ? link(from, to) : (int)syscall(SYS_linkat, a, from, b, to, flags);
}
int unlinkat(int at, const char *path, int flags) {
    return at == AT_FDCWD && !flags ? unlink(path) : (int)syscall(SYS_unlinkat, at, path, flags);
}
