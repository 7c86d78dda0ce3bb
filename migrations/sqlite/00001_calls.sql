-- SPDX-License-Identifier: MIT

-- Ids are the 36 characters of a UUID in lower case: the same literal finds a
-- call here and in a uuid column of PostgreSQL, and ids sort by the time they
-- were made. Times are UTC text of one width, 2026-01-02T15:04:05.000000Z:
-- they sort as text, SQLite's date functions read them, and a timestamptz of
-- PostgreSQL holds the same microseconds. Addresses and other small structures
-- are JSON, read with ->> in both.

-- +goose Up

-- "CWRT": says that the file is ours.
PRAGMA application_id = 1129796180;

-- A row is what stays of one Call; engine.Record says what the columns mean.
CREATE TABLE calls (
    id           TEXT NOT NULL PRIMARY KEY,
    account      TEXT NOT NULL,
    app          TEXT NOT NULL,
    number       TEXT NOT NULL,
    direction    TEXT NOT NULL,
    from_address TEXT NOT NULL,
    to_address   TEXT NOT NULL,
    diversion    TEXT NOT NULL,
    parent       TEXT,
    chain        TEXT,
    node         TEXT NOT NULL,
    state        TEXT NOT NULL,
    cause        TEXT NOT NULL,
    answered_by  TEXT,
    started_at   TEXT NOT NULL,
    answered_at  TEXT,
    ended_at     TEXT,
    dialect      TEXT NOT NULL,
    settled      INTEGER NOT NULL CHECK (settled IN (0, 1))
) STRICT, WITHOUT ROWID;

-- The primary key serves the list, newest first. This one finds the few calls
-- that live, or whose end the app was not told of before a crash.
CREATE INDEX calls_open ON calls (id) WHERE settled = 0;

-- A row is one event of a Call's timeline. The id counts all events of the
-- server and is never used twice, so a reader of the live stream can say where
-- it stopped. There is no foreign key: an event whose call was never saved
-- tells of a fault and must not be refused.
CREATE TABLE call_events (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    call TEXT NOT NULL,
    seq  INTEGER NOT NULL,
    at   TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (call, seq)
) STRICT;
