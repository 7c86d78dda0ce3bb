-- SPDX-License-Identifier: MIT

-- +goose Up

-- The trunk that the call came or left by; empty when it did by none.
ALTER TABLE calls ADD COLUMN trunk text NOT NULL DEFAULT '';

-- The figures of the party's sound, engine.Record.Media; NULL while the call
-- lives, and of one that never had sound.
ALTER TABLE calls ADD COLUMN media jsonb;
