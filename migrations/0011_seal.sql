-- Seals: the head of the chain, signed now and then, for auditors to keep outside. A log that was altered or cut short
-- behind a seal cannot show the sealed hash any more, and without the private key nobody can make another seal.

SET LOCAL lock_timeout = '5s';

CREATE TABLE seal (
    log_id      smallint    NOT NULL,
    -- The head of the log when it was sealed, its chain hash and its time.
    position    bigint      NOT NULL CHECK (position > 0),
    hash        bytea       NOT NULL CHECK (octet_length(hash) = 32),
    recorded_at timestamptz NOT NULL,
    sealed_at   timestamptz NOT NULL,
    -- Ed25519 over what store/src/seal.rs frames. The key is here so that old seals can be checked after a new key came;
    -- whether to trust it is for whoever checks to say.
    key_id      text        NOT NULL,
    public_key  bytea       NOT NULL CHECK (octet_length(public_key) = 32),
    signature   bytea       NOT NULL CHECK (octet_length(signature) = 64),
    CONSTRAINT seal_pk PRIMARY KEY (log_id, position)
);

SELECT ledger_make_append_only('seal'::regclass);

GRANT SELECT, INSERT ON seal TO ledger_app;
