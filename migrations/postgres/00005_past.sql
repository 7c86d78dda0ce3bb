-- SPDX-License-Identifier: MIT

-- +goose Up

-- The past of an account, newest first, is what stays of its own calls that are
-- over. A call enters these indexes once, when it ends. They replace that of all
-- calls where somebody asks for the history, and find those with one number on
-- either side, plus or not: the expressions must be those of past.Party.
CREATE INDEX calls_past ON calls (account, id) WHERE parent IS NULL AND ended_at IS NOT NULL;
CREATE INDEX calls_from ON calls (account, ltrim(coalesce(nullif(from_address ->> 'number', ''), from_address ->> 'value'), '+'))
    WHERE parent IS NULL AND ended_at IS NOT NULL;
CREATE INDEX calls_to ON calls (account, ltrim(coalesce(nullif(to_address ->> 'number', ''), to_address ->> 'value'), '+'))
    WHERE parent IS NULL AND ended_at IS NOT NULL;
