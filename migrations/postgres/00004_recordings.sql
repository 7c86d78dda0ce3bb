-- SPDX-License-Identifier: MIT

-- +goose Up

-- A row is one stored piece of audio; engine.Recording says what the columns
-- mean. Lists are by id, newest first: of an account, of a box, of a call.
CREATE TABLE recordings (
    id           uuid PRIMARY KEY,
    account      text NOT NULL,
    kind         text NOT NULL,
    call         uuid NOT NULL,
    box          text NOT NULL,
    from_address jsonb NOT NULL,
    to_address   jsonb NOT NULL,
    file         text NOT NULL,
    started_at   timestamptz NOT NULL,
    duration_ns  bigint NOT NULL,
    heard_at     timestamptz
);
CREATE INDEX recordings_account ON recordings (account, id);
CREATE INDEX recordings_box ON recordings (account, box, id);
CREATE INDEX recordings_call ON recordings (call);

-- A row is a recording that was deleted, and nothing else of it: a journal that
-- is replayed, perhaps of a node that was away, must not bring it back.
CREATE TABLE deleted_recordings (
    id      uuid NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (id, account)
);

-- The calls of one account, newest first.
CREATE INDEX calls_account ON calls (account, id);
