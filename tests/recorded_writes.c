/* Records what a process does to the files of one folder: loaded before the C library (LD_PRELOAD).
 *
 * RECORD_FOLDER is the folder, RECORD_TO the file of records. Each record is a head (below) and
 * `size` bytes. The deeds are done by bare system calls, so nothing here is called by itself. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES = 4096 };

struct __attribute__((packed)) head {
    char deed; /* O open, W write, T cut, S synchronise, U unlink, R rename */
    int32_t file;
    int64_t place;
    int64_t size;
};

static char watched[FILES];

static const char *folder(void) {
    static const char *kept;
    return kept ? kept : (kept = getenv("RECORD_FOLDER"));
}

static int is_watched_path(const char *path) {
    return folder() && strncmp(path, folder(), strlen(folder())) == 0;
}

static int is_watched(int file) {
    return file >= 0 && file < FILES && watched[file];
}

static void record(char deed, int file, int64_t place, const void *bytes, size_t size) {
    static int target = -1;
    if (target < 0)
        target = (int)syscall(SYS_openat, AT_FDCWD, getenv("RECORD_TO"),
                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct head head = {deed, file, place, (int64_t)size};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)bytes, size}};
    if (syscall(SYS_writev, target, parts, size ? 2 : 1) != (long)(sizeof head + size))
        abort(); /* a record that is not whole is worse than none */
}

static int opened(int at, const char *path, int flags, mode_t mode) {
    int file = (int)syscall(SYS_openat, at, path, flags, mode);
    if (file >= 0 && file < FILES && (watched[file] = (char)is_watched_path(path)))
        record('O', file, flags & O_TRUNC ? 1 : 0, path, strlen(path));
    return file;
}

#define MODE_OF(flags)                                                                             \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list more;                                                                              \
        va_start(more, flags);                                                                     \
        mode = va_arg(more, mode_t);                                                               \
        va_end(more);                                                                              \
    }

int open(const char *path, int flags, ...) {
    MODE_OF(flags)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE_OF(flags)
    return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int close(int file) {
    if (is_watched(file)) watched[file] = 0;
    return (int)syscall(SYS_close, file);
}

ssize_t write(int file, const void *bytes, size_t size) {
    off_t place = is_watched(file) ? lseek(file, 0, SEEK_CUR) : 0;
    ssize_t done = syscall(SYS_write, file, bytes, size);
    if (done > 0 && is_watched(file)) record('W', file, place, bytes, (size_t)done);
    return done;
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t place) {
    ssize_t done = syscall(SYS_pwrite64, file, bytes, size, place);
    if (done > 0 && is_watched(file)) record('W', file, place, bytes, (size_t)done);
    return done;
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t place) {
    return pwrite(file, bytes, size, place);
}

int ftruncate(int file, off_t size) {
    int failed = (int)syscall(SYS_ftruncate, file, size);
    if (!failed && is_watched(file)) record('T', file, size, NULL, 0);
    return failed;
}

int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }

int fsync(int file) {
    int failed = (int)syscall(SYS_fsync, file);
    if (!failed && is_watched(file)) record('S', file, 0, NULL, 0);
    return failed;
}

int fdatasync(int file) {
    int failed = (int)syscall(SYS_fdatasync, file);
    if (!failed && is_watched(file)) record('S', file, 0, NULL, 0);
    return failed;
}

int unlink(const char *path) {
    int failed = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!failed && is_watched_path(path)) record('U', -1, 0, path, strlen(path));
    return failed;
}

int rename(const char *from, const char *to) {
    int failed = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (!failed && is_watched_path(to)) {
        char both[8192];
        size_t first = strlen(from) + 1, second = strlen(to);
        if (first + second > sizeof both) abort();
        memcpy(both, from, first);
        memcpy(both + first, to, second);
        record('R', -1, 0, both, first + second);
    }
    return failed;
}
