/* sys/standins.c: what inih's file half and its heap refer to and never call here.
 *
 * The reader gives inih lines from memory, on its stack. So that a static binary does not carry a heap
 * and stdio for nothing, the linker finds these first. They also make a promise visible: there is no
 * allocator in lastcall. inih takes a refused allocation for an error and says so. */
#include <features.h> /* __GLIBC__ */
#include <stddef.h>

#ifndef __GLIBC__

void *no_malloc(size_t bytes) __asm__("malloc");
void *no_realloc(void *old, size_t bytes) __asm__("realloc");
void no_free(void *old) __asm__("free");
void *no_fopen(const char *path, const char *mode) __asm__("fopen64");
int no_fclose(void *file) __asm__("fclose");
char *no_fgets(char *line, int room, void *file) __asm__("fgets");

void *no_malloc(size_t bytes) {
    (void)bytes;
    return NULL;
}

void *no_realloc(void *old, size_t bytes) {
    (void)old, (void)bytes;
    return NULL;
}

void no_free(void *old) { (void)old; }

void *no_fopen(const char *path, const char *mode) {
    (void)path, (void)mode;
    return NULL;
}

int no_fclose(void *file) {
    (void)file;
    return -1;
}

char *no_fgets(char *line, int room, void *file) {
    (void)line, (void)room, (void)file;
    return NULL;
}

#endif
