// LD_PRELOAD: lets the XFMR_FAULT_N-th call of one kind fail. XFMR_FAULT is alloc, open, read, write, full, fsync, rename or mmap; full: a disk that
// is full from that write on, of which it still takes a half; calls
// on files count where their path begins with XFMR_FAULT_UNDER. XFMR_FAULT_COUNT names a file that gets how many calls there
// were. With XFMR_FAULT_SIGNAL the call does not fail: the process gets that signal before it. alloc counts requests of operator
// new once the tool has a handler for their failure; C libraries have their own ways.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long count;
static const char *kind, *under;
static long fails = -1;
static int signalled;

__attribute__((constructor)) static void begin(void) {
  kind = getenv("XFMR_FAULT");
  under = getenv("XFMR_FAULT_UNDER");
  const char *n = getenv("XFMR_FAULT_N");
  fails = n ? atol(n) : -1;
  const char *signal = getenv("XFMR_FAULT_SIGNAL");
  signalled = signal ? atoi(signal) : 0;
}

__attribute__((destructor)) static void end(void) {
  const char *path = getenv("XFMR_FAULT_COUNT");
  if (!path)
    return;
  char text[32];
  int length = snprintf(text, sizeof text, "%ld\n", atomic_load(&count)), file = (int)syscall(SYS_open, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file >= 0) {
    syscall(SYS_write, file, text, length);
    syscall(SYS_close, file);
  }
}

static int faulty(const char *of) {
  const int now = kind && strcmp(kind, of) == 0 && atomic_fetch_add(&count, 1) + 1 == fails;
  if (!now || !signalled)
    return now;
  kill(getpid(), signalled);
  return 0;
}

/// Whether the disk is full by now, and was before this write.
static int full(int *before) {
  if (!kind || strcmp(kind, "full") != 0 || fails < 0) {
    *before = 0;
    return faulty("full"); // counts
  }
  const long now = atomic_fetch_add(&count, 1) + 1;
  *before = now > fails;
  return now >= fails;
}

static int ours(const char *path) { return under && path && strncmp(path, under, strlen(under)) == 0; }

static int oursByNumber(int file) {
  char link[64], path[PATH_MAX];
  if (!under || file < 0)
    return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0)
    return 0;
  path[length] = 0;
  return ours(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(error, result)                                                                                                               \
  do {                                                                                                                                    \
    errno = error;                                                                                                                        \
    return result;                                                                                                                        \
  } while (0)

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
  va_end(more);
  if (ours(path) && faulty("open"))
    FAIL(EACCES, -1);
  return REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int mkostemp(char *path, int flags) {
  if (ours(path) && faulty("open"))
    FAIL(EACCES, -1);
  return REAL(mkostemp)(path, flags);
}
int mkostemp64(char *path, int flags) __attribute__((alias("mkostemp")));

char *mkdtemp(char *path) {
  if (ours(path) && faulty("open"))
    FAIL(EACCES, NULL);
  return REAL(mkdtemp)(path);
}

ssize_t read(int file, void *data, size_t size) {
  if (oursByNumber(file) && faulty("read"))
    FAIL(EIO, -1);
  return REAL(read)(file, data, size);
}

ssize_t write(int file, const void *data, size_t size) {
  int before = 0;
  const int counts = oursByNumber(file);
  if (counts && (faulty("write") || (full(&before) && (before || size < 2))))
    FAIL(ENOSPC, -1);
  if (counts && !before && kind && strcmp(kind, "full") == 0 && atomic_load(&count) == fails)
    size /= 2;
  return REAL(write)(file, data, size);
}

int fsync(int file) {
  if (oursByNumber(file) && faulty("fsync"))
    FAIL(EIO, -1);
  return REAL(fsync)(file);
}

int rename(const char *from, const char *to) {
  if (ours(from) && faulty("rename"))
    FAIL(EACCES, -1);
  return REAL(rename)(from, to);
}

void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  if (oursByNumber(file) && faulty("mmap"))
    FAIL(ENOMEM, MAP_FAILED);
  return REAL(mmap)(at, size, protection, flags, file, offset);
}
void *mmap64(void *at, size_t size, int protection, int flags, int file, off_t offset) __attribute__((alias("mmap")));

// operator new(size_t): with std::new_handler as the standard library's does it.
void *_ZSt15get_new_handlerv(void);
void *_Znwm(size_t size) {
  // Before the tool has begun, in initialisers of libraries, there is nobody to say anything.
  void (*handler)(void) = (void (*)(void))_ZSt15get_new_handlerv();
  void *memory = handler && faulty("alloc") ? NULL : malloc(size ? size : 1);
  if (!memory) {
    if (handler)
      handler();
    abort();
  }
  return memory;
}
