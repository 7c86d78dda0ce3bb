-- SPDX-License-Identifier: MIT

-- +goose Up

-- The id of the User who made the call; empty when nobody of ours did.
ALTER TABLE calls ADD COLUMN caller TEXT NOT NULL DEFAULT '';

-- A row is one place where a User's phone can be rung; directory.Registration says
-- what the columns mean. They are read at a start only.
CREATE TABLE registrations (
    account    TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    contact    TEXT NOT NULL,
    source     TEXT NOT NULL,
    call_id    TEXT NOT NULL,
    cseq       INTEGER NOT NULL,
    agent      TEXT NOT NULL,
    node       TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (account, user_id, contact)
) STRICT, WITHOUT ROWID;

-- A row is one configured thing: an account, app, user, group, number or trunk.
-- One table holds them all because the path of a call never reads it: they are
-- loaded as a whole, and only their owners know what is in the body. file_hash
-- is that of the entry in the configuration file which was last applied.
CREATE TABLE objects (
    kind       TEXT NOT NULL,
    account    TEXT NOT NULL,
    id         TEXT NOT NULL,
    body       TEXT NOT NULL,
    file_hash  TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (kind, account, id)
) STRICT, WITHOUT ROWID;
