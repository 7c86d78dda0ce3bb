-- SPDX-License-Identifier: MIT

-- The tables of sqlite/00001_calls.sql in the types that PostgreSQL has for
-- what is in them.

-- +goose Up

-- A row is what stays of one Call; engine.Record says what the columns mean.
CREATE TABLE calls (
    id           uuid PRIMARY KEY,
    account      text NOT NULL,
    app          text NOT NULL,
    number       text NOT NULL,
    direction    text NOT NULL,
    from_address jsonb NOT NULL,
    to_address   jsonb NOT NULL,
    diversion    text NOT NULL,
    parent       uuid,
    chain        uuid,
    node         text NOT NULL,
    state        text NOT NULL,
    cause        text NOT NULL,
    answered_by  jsonb,
    started_at   timestamptz NOT NULL,
    answered_at  timestamptz,
    ended_at     timestamptz,
    dialect      jsonb NOT NULL,
    settled      boolean NOT NULL
);

-- The primary key serves the list, newest first. This one finds the few calls
-- that live, or whose end the app was not told of before a crash.
CREATE INDEX calls_open ON calls (id) WHERE NOT settled;

-- A row is one event of a Call's timeline. The id counts all events of all
-- nodes and is never used twice, so a reader of the live stream can say where
-- it stopped. There is no foreign key: an event whose call was never saved
-- tells of a fault and must not be refused.
CREATE TABLE call_events (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call uuid NOT NULL,
    seq  bigint NOT NULL,
    at   timestamptz NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    data jsonb NOT NULL,
    UNIQUE (call, seq)
);
