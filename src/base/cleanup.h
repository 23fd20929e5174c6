/* Cleanup attributes: a variable that owns something says so where it is declared. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(f) __attribute__((cleanup(f)))

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define AUTO_FREE CLEANUP(cleanup_free)
#define AUTO_CLOSE CLEANUP(cleanup_close)
#define AUTO_FCLOSE CLEANUP(cleanup_fclose)

/* Hands ownership on: yields the pointer and leaves NULL behind. */
#define TAKE_PTR(p)                    \
	({                             \
		__typeof__(p) take_ = (p); \
		(p) = NULL;            \
		take_;                 \
	})

/* The same for a descriptor, leaving -1. */
#define TAKE_FD(fd)             \
	({                      \
		int take_ = (fd); \
		(fd) = -1;      \
		take_;          \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
