/*
 * How fast this machine reads a mapped file, at the moment: sums its float32 with AVX2, one thread or several, all pages
 * touched beforehand. usage: read-limit FILE...; a line [FILE-NUMBER,THREADS] is answered with {"ms": milliseconds}
 */
#include <fcntl.h>
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 8
#define THREADS_MAX 64
#define STEP 64 /* floats: eight registers */

struct part {
  const float *from;
  size_t count;
  float sum;
};

static void *read_part(void *argument) {
  struct part *part = argument;
  __m256 sums[8];
  for (int k = 0; k < 8; k++) sums[k] = _mm256_setzero_ps();
  for (size_t i = 0; i + STEP <= part->count; i += STEP)
    for (int k = 0; k < 8; k++) sums[k] = _mm256_add_ps(sums[k], _mm256_loadu_ps(part->from + i + 8 * k));
  float lanes[8];
  for (int k = 1; k < 8; k++) sums[0] = _mm256_add_ps(sums[0], sums[k]);
  _mm256_storeu_ps(lanes, sums[0]);
  part->sum = lanes[0] + lanes[1] + lanes[2] + lanes[3] + lanes[4] + lanes[5] + lanes[6] + lanes[7];
  return NULL;
}

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static float read_all(const float *from, size_t count, int threads) {
  struct part parts[THREADS_MAX];
  pthread_t others[THREADS_MAX];
  size_t each = count / threads;
  for (int t = 0; t < threads; t++) {
    parts[t] = (struct part){from + t * each, each, 0};
    if (t > 0 && pthread_create(&others[t], NULL, read_part, &parts[t]) != 0) exit(1);
  }
  read_part(&parts[0]);
  float sum = parts[0].sum;
  for (int t = 1; t < threads; t++) {
    pthread_join(others[t], NULL);
    sum += parts[t].sum;
  }
  return sum;
}

int main(int argc, char **argv) {
  const float *files[FILES_MAX];
  size_t counts[FILES_MAX];
  volatile float kept;
  if (!__builtin_cpu_supports("avx2") || argc - 1 > FILES_MAX) return 1;
  for (int i = 0; i < argc - 1; i++) {
    struct stat status;
    int fd = open(argv[i + 1], O_RDONLY);
    if (fd < 0 || fstat(fd, &status) != 0) return 1;
    void *mapped = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) return 1;
    files[i] = mapped;
    counts[i] = status.st_size / sizeof(float);
    kept = read_all(files[i], counts[i], 1);
  }
  printf("{}\n");
  fflush(stdout);
  int file, threads;
  while (scanf(" [%d,%d]", &file, &threads) == 2) {
    if (file < 0 || file >= argc - 1 || threads < 1 || threads > THREADS_MAX) return 1;
    double started = now_ms();
    kept = read_all(files[file], counts[file], threads);
    printf("{\"ms\": %.4f}\n", now_ms() - started);
    fflush(stdout);
  }
  (void)kept;
  return 0;
}
