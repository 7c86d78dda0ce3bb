-- SPDX-License-Identifier: MIT

-- +goose Up

-- A row is one stored piece of audio; engine.Recording says what the columns
-- mean. Lists are by id, newest first: of an account, of a box, of a call.
CREATE TABLE recordings (
    id           TEXT NOT NULL PRIMARY KEY,
    account      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    call         TEXT NOT NULL,
    box          TEXT NOT NULL,
    from_address TEXT NOT NULL,
    to_address   TEXT NOT NULL,
    file         TEXT NOT NULL,
    started_at   TEXT NOT NULL,
    duration_ns  INTEGER NOT NULL,
    heard_at     TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX recordings_account ON recordings (account, id);
CREATE INDEX recordings_box ON recordings (account, box, id);
CREATE INDEX recordings_call ON recordings (call);

-- A row is a recording that was deleted, and nothing else of it: a journal that
-- is replayed, perhaps of a node that was away, must not bring it back.
CREATE TABLE deleted_recordings (
    id      TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (id, account)
) STRICT, WITHOUT ROWID;

-- The calls of one account, newest first.
CREATE INDEX calls_account ON calls (account, id);
