#include "region/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"

#define BUSY_MS 5000
/* Kept beside the store and given up when the disk is full, so that what is under way can be written to its end and
 * instances can be terminated, which makes room. */
#define RESERVE_BYTES (2 << 20)

/* Migration i brings a file of version i to version i + 1 (PRAGMA user_version). Never edit one that was released: add. */
static const char *const migrations[] = {
	"CREATE TABLE object (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
	" body TEXT NOT NULL);",
	"CREATE TABLE event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);",
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *put, *del, *put_event, *trim_events;
	int reserve; /* descriptor of the reserve */
	bool held;   /* it has its bytes */
	bool full;   /* the last failure was a full disk */
};

static int fail(struct store *s, const char *what, struct error *err)
{
	int code = sqlite3_extended_errcode(s->db);

	/* the shared index of the write-ahead log says it in its own way */
	s->full = (code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_WRITE;
	if (s->full)
		return error_set(err, ERROR_ENVIRONMENT, "The disk is full: the region's store can't %s; free some space.",
				 what);
	return error_set(err, ERROR_ENVIRONMENT, "The region's store can't %s: %s.", what, sqlite3_errmsg(s->db));
}

static int run(struct store *s, const char *sql, const char *what, struct error *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(s, what, err);
}

static int migrate(struct store *s, struct error *err)
{
	sqlite3_stmt *q = NULL;
	size_t version = 0;

	if (sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &q, NULL) != SQLITE_OK)
		return fail(s, "be read", err);
	if (sqlite3_step(q) == SQLITE_ROW)
		version = (size_t)sqlite3_column_int(q, 0);
	sqlite3_finalize(q);
	if (version > ARRAY_SIZE(migrations))
		return error_set(err, ERROR_ENVIRONMENT,
				 "The region's store is of version %zu, newer than this program's %zu; install the newer vpclab.",
				 version, ARRAY_SIZE(migrations));
	for (; version < ARRAY_SIZE(migrations); version++) {
		char set[64];

		snprintf(set, sizeof set, "PRAGMA user_version = %zu; COMMIT", version + 1);
		if (run(s, "BEGIN IMMEDIATE", "be migrated", err) < 0 ||
		    run(s, migrations[version], "be migrated", err) < 0 || run(s, set, "be migrated", err) < 0)
			return -1;
	}
	return 0;
}

static int hold_reserve(struct store *s, const char *path, struct error *err)
{
	AUTO_FREE char *name = NULL;

	if (asprintf(&name, "%s-reserve", path) < 0) {
		name = NULL;
		return error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
	}
	s->reserve = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->reserve < 0)
		return error_set_errno(err, errno, "%s can't be opened", name);
	s->held = posix_fallocate(s->reserve, 0, RESERVE_BYTES) == 0;
	if (!s->held && ftruncate(s->reserve, 0) < 0)
		return error_set_errno(err, errno, "%s can't be emptied", name);
	return 0;
}

bool store_give_way(struct store *s)
{
	bool given = s->full && s->held && ftruncate(s->reserve, 0) == 0;

	s->full = false;
	if (given)
		s->held = false;
	return given;
}

struct store *store_open(const char *path, struct error *err)
{
	struct store *s = calloc(1, sizeof *s);
	AUTO_CLOSE int fd = -1;

	if (!s) {
		error_set(err, ERROR_ENVIRONMENT, "Memory ran out.");
		return NULL;
	}
	s->reserve = -1;
	/* it holds user data, which may hold secrets; SQLite's other files take this one's mode */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600) < 0) {
		error_set_errno(err, errno, "The region's store %s can't be opened", path);
		goto bad;
	}
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK) {
		error_set(err, ERROR_ENVIRONMENT, "The region's store %s can't be opened: %s.", path,
			  s->db ? sqlite3_errmsg(s->db) : "memory ran out");
		goto bad;
	}
	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (hold_reserve(s, path, err) < 0)
		goto bad;
	if (run(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON", "be opened", err) < 0 ||
	    migrate(s, err) < 0)
		goto bad;
	if (sqlite3_prepare_v2(s->db,
			       "INSERT INTO object (id, kind, body) VALUES (?1, ?2, ?3)"
			       " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
			       -1, &s->put, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "DELETE FROM object WHERE id = ?1", -1, &s->del, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "INSERT INTO event (body) VALUES (?1)", -1, &s->put_event, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(s->db, "DELETE FROM event WHERE sequence <= ?1", -1, &s->trim_events, NULL) != SQLITE_OK) {
		fail(s, "be prepared", err);
		goto bad;
	}
	return s;
bad:
	store_close(s);
	return NULL;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	sqlite3_finalize(s->put);
	sqlite3_finalize(s->del);
	sqlite3_finalize(s->put_event);
	sqlite3_finalize(s->trim_events);
	sqlite3_close(s->db);
	cleanup_close(&s->reserve);
	free(s);
}

int store_begin(struct store *s, struct error *err)
{
	return run(s, "BEGIN IMMEDIATE", "begin a transaction", err);
}

static int step(struct store *s, sqlite3_stmt *q, const char *what, struct error *err)
{
	int rc = sqlite3_step(q);

	if (rc != SQLITE_DONE)
		fail(s, what, err);
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
	return rc == SQLITE_DONE ? 0 : -1;
}

int store_put(struct store *s, const char *kind, const char *id, const char *body, struct error *err)
{
	sqlite3_bind_text(s->put, 1, id, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->put, 2, kind, -1, SQLITE_STATIC);
	sqlite3_bind_text(s->put, 3, body, -1, SQLITE_STATIC);
	return step(s, s->put, "be written", err);
}

int store_delete(struct store *s, const char *id, struct error *err)
{
	sqlite3_bind_text(s->del, 1, id, -1, SQLITE_STATIC);
	return step(s, s->del, "be written", err);
}

int store_commit(struct store *s, struct error *err)
{
	struct stat st;

	if (run(s, "COMMIT", "be written", err) < 0)
		return -1;
	/* there is room again? then the reserve takes its share, all of it or none */
	if (!s->held && fstat(s->reserve, &st) == 0) {
		s->held = posix_fallocate(s->reserve, 0, RESERVE_BYTES) == 0;
		if (!s->held && ftruncate(s->reserve, 0) < 0)
			log_warn("The store's reserve can't be emptied: %m");
	}
	return 0;
}

void store_rollback(struct store *s)
{
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int store_each(struct store *s, int (*each)(void *arg, const char *kind, const char *id, const char *body, struct error *err),
	       void *arg, struct error *err)
{
	sqlite3_stmt *q = NULL;
	int rc;

	if (sqlite3_prepare_v2(s->db, "SELECT kind, id, body FROM object ORDER BY seq", -1, &q, NULL) != SQLITE_OK)
		return fail(s, "be read", err);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (each(arg, (const char *)sqlite3_column_text(q, 0), (const char *)sqlite3_column_text(q, 1),
			 (const char *)sqlite3_column_text(q, 2), err) < 0) {
			sqlite3_finalize(q);
			return -1;
		}
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : fail(s, "be read", err);
}

int store_event_add(struct store *s, const char *body, int64_t keep, struct error *err)
{
	sqlite3_bind_text(s->put_event, 1, body, -1, SQLITE_STATIC);
	if (step(s, s->put_event, "be written", err) < 0)
		return -1;
	sqlite3_bind_int64(s->trim_events, 1, sqlite3_last_insert_rowid(s->db) - keep);
	return step(s, s->trim_events, "be written", err);
}

int store_event_each(struct store *s, int64_t after,
		     int (*each)(void *arg, int64_t sequence, const char *body, struct error *err), void *arg, struct error *err)
{
	sqlite3_stmt *q = NULL;
	int rc;

	if (sqlite3_prepare_v2(s->db, "SELECT sequence, body FROM event WHERE sequence > ?1 ORDER BY sequence", -1, &q, NULL) !=
	    SQLITE_OK)
		return fail(s, "be read", err);
	sqlite3_bind_int64(q, 1, after);
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (each(arg, sqlite3_column_int64(q, 0), (const char *)sqlite3_column_text(q, 1), err) < 0) {
			sqlite3_finalize(q);
			return -1;
		}
	}
	sqlite3_finalize(q);
	return rc == SQLITE_DONE ? 0 : fail(s, "be read", err);
}
