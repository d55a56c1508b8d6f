/*
 * A disk that forgets: a FUSE folder with disk.img, the image of a block device. A written sector stays in memory until
 * a flush puts it into the backing file; kill -9 is the power cut. Every write and every flush is appended to a log, so
 * that a cut can be made again at any point. Reading `position` says how many entries that makes, and how many flushes.
 * Ends when its standard input does, so that it does not outlive the test that started it.
 *
 * Usage: forgetful-disk MOUNTPOINT BACKING_FILE LOG_FILE FLUSH_MS       (LOG_FILE may be /dev/null)
 * Log: per entry three little-endian words of 64 bits (0 write, 1 flush; offset; length), then the bytes of a write.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR_BYTES = 512, WRITE = 0, FLUSH = 1 };
static const char IMAGE[] = "/disk.img";
static const char POSITION[] = "/position";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int backing, log_file;
static off_t size;
static long flush_ms;
static uint64_t position, flushes;
/* What a cut loses: by sector the bytes in memory, or NULL; and the numbers of those sectors. */
static unsigned char **forgotten;
static uint64_t *dirty, dirty_count;

static void die(const char *what) {
  perror(what);
  _exit(1);
}

static void append_to_log(uint64_t kind, uint64_t offset, const void *bytes, uint64_t length) {
  uint64_t head[3] = {kind, offset, length};
  struct iovec parts[2] = {{head, sizeof head}, {(void *)bytes, length}};
  if (writev(log_file, parts, 2) != (ssize_t)(sizeof head + length)) die("log");
  position++;
}

static int put(const char *path, const char *bytes, size_t length, off_t offset, struct fuse_file_info *info) {
  (void)info;
  if (strcmp(path, IMAGE) != 0) return -EACCES;
  if (offset % SECTOR_BYTES || length % SECTOR_BYTES) return -EINVAL;
  if (offset + (off_t)length > size) return -ENOSPC;
  pthread_mutex_lock(&lock);
  append_to_log(WRITE, offset, bytes, length);
  for (size_t done = 0; done < length; done += SECTOR_BYTES) {
    uint64_t sector = (offset + done) / SECTOR_BYTES;
    if (!forgotten[sector]) {
      if (!(forgotten[sector] = malloc(SECTOR_BYTES))) die("malloc");
      dirty[dirty_count++] = sector;
    }
    memcpy(forgotten[sector], bytes + done, SECTOR_BYTES);
  }
  pthread_mutex_unlock(&lock);
  return length;
}

static int flush(const char *path, int data_only, struct fuse_file_info *info) {
  (void)data_only, (void)info;
  if (strcmp(path, IMAGE) != 0) return 0;
  pthread_mutex_lock(&lock);
  append_to_log(FLUSH, 0, NULL, 0);
  flushes++;
  for (uint64_t i = 0; i < dirty_count; i++) {
    if (pwrite(backing, forgotten[dirty[i]], SECTOR_BYTES, dirty[i] * SECTOR_BYTES) != SECTOR_BYTES) die("backing file");
    free(forgotten[dirty[i]]);
    forgotten[dirty[i]] = NULL;
  }
  dirty_count = 0;
  pthread_mutex_unlock(&lock);
  if (flush_ms) nanosleep(&(struct timespec){flush_ms / 1000, flush_ms % 1000 * 1000000}, NULL);
  return 0;
}

static int get_position(char *bytes, size_t length, off_t offset) {
  char text[64];
  pthread_mutex_lock(&lock);
  int digits = snprintf(text, sizeof text, "%llu %llu\n", (unsigned long long)position, (unsigned long long)flushes);
  pthread_mutex_unlock(&lock);
  if (offset >= digits) return 0;
  if (length > (size_t)(digits - offset)) length = digits - offset;
  memcpy(bytes, text + offset, length);
  return length;
}

static int get(const char *path, char *bytes, size_t length, off_t offset, struct fuse_file_info *info) {
  (void)info;
  if (strcmp(path, POSITION) == 0) return get_position(bytes, length, offset);
  if (offset >= size) return 0;
  if (length > (size_t)(size - offset)) length = size - offset;
  pthread_mutex_lock(&lock);
  if (pread(backing, bytes, length, offset) != (ssize_t)length) die("backing file");
  for (uint64_t sector = offset / SECTOR_BYTES; (off_t)(sector * SECTOR_BYTES) < offset + (off_t)length; sector++) {
    if (!forgotten[sector]) continue;
    off_t start = sector * SECTOR_BYTES, from = start > offset ? start : offset;
    off_t end = start + SECTOR_BYTES, to = end < offset + (off_t)length ? end : offset + (off_t)length;
    memcpy(bytes + (from - offset), forgotten[sector] + (from - start), to - from);
  }
  pthread_mutex_unlock(&lock);
  return length;
}

static int attributes(const char *path, struct stat *found, struct fuse_file_info *info) {
  (void)info;
  int is_folder = strcmp(path, "/") == 0, is_image = strcmp(path, IMAGE) == 0;
  if (!is_folder && !is_image && strcmp(path, POSITION) != 0) return -ENOENT;
  *found = (struct stat){.st_mode = is_folder ? S_IFDIR | 0700 : is_image ? S_IFREG | 0600 : S_IFREG | 0400,
                         .st_nlink = 1,
                         .st_size = is_image ? size : 0};
  return 0;
}

/* No page cache of ours between the loop device and this process: what it writes and flushes arrives here, in order. */
static int open_directly(const char *path, struct fuse_file_info *info) {
  (void)path;
  info->direct_io = 1;
  return 0;
}

static void *end_with_parent(void *unused) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  _exit(0);
  return unused;
}

static void *start(struct fuse_conn_info *connection, struct fuse_config *config) {
  (void)connection, (void)config;
  pthread_t thread;
  if (pthread_create(&thread, NULL, end_with_parent, NULL) != 0) die("thread");
  return NULL;
}

int main(int count, char **words) {
  if (count != 5) return fprintf(stderr, "usage: %s MOUNTPOINT BACKING_FILE LOG_FILE FLUSH_MS\n", words[0]), 2;
  struct stat found;
  if ((backing = open(words[2], O_RDWR)) < 0 || fstat(backing, &found) != 0) die(words[2]);
  if ((log_file = open(words[3], O_WRONLY | O_CREAT | O_APPEND, 0600)) < 0) die(words[3]);
  size = found.st_size / SECTOR_BYTES * SECTOR_BYTES;
  flush_ms = atol(words[4]);
  forgotten = calloc(size / SECTOR_BYTES, sizeof *forgotten);
  dirty = calloc(size / SECTOR_BYTES, sizeof *dirty);
  if (!forgotten || !dirty) die("calloc");
  static const struct fuse_operations operations = {
      .init = start, .getattr = attributes, .open = open_directly, .read = get, .write = put, .fsync = flush};
  char *arguments[] = {words[0], "-f", "-o", "default_permissions,fsname=forgetful-disk", words[1], NULL};
  return fuse_main(5, arguments, &operations, NULL);
}
