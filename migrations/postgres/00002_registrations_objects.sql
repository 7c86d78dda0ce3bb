-- SPDX-License-Identifier: MIT

-- +goose Up

-- The id of the User who made the call; empty when nobody of ours did.
ALTER TABLE calls ADD COLUMN caller text NOT NULL DEFAULT '';

-- A row is one place where a User's phone can be rung; directory.Registration says
-- what the columns mean. They are read at a start only. Account, user and
-- contact name a row, but a contact, which a phone may choose, can be too long
-- for an index of PostgreSQL: those who write take turns and see to it instead.
CREATE TABLE registrations (
    account    text NOT NULL,
    user_id    text NOT NULL,
    contact    text NOT NULL,
    source     text NOT NULL,
    call_id    text NOT NULL,
    cseq       bigint NOT NULL,
    agent      text NOT NULL,
    node       text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX registrations_user ON registrations (account, user_id);

-- A row is one configured thing: an account, app, user, group, number or trunk.
-- One table holds them all because the path of a call never reads it: they are
-- loaded as a whole, and only their owners know what is in the body. file_hash
-- is that of the entry in the configuration file which was last applied.
CREATE TABLE objects (
    kind       text NOT NULL,
    account    text NOT NULL,
    id         text NOT NULL,
    body       jsonb NOT NULL,
    file_hash  text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, account, id)
);
