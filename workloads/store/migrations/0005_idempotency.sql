-- Idempotency keys and the answers to repeat. A key is good for 24 hours.
CREATE TABLE kyb.idempotency_keys (
    tenant_id   text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    status      smallint NOT NULL,
    location    text,
    body        text NOT NULL,
    -- The object that the request made: its erasure must reach the kept answer too.
    object_id   uuid,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_by_age ON kyb.idempotency_keys (tenant_id, created_at);
CREATE INDEX idempotency_keys_of ON kyb.idempotency_keys (tenant_id, object_id) WHERE object_id IS NOT NULL;

CREATE TYPE kyb.idempotency AS (
    key         text,
    fingerprint text,
    status      smallint,
    location    text,
    body        text
);

-- `done`, `replayed` with the answer kept, or `key_reused`.
CREATE TYPE kyb.write_result AS (
    outcome  text,
    status   smallint,
    location text,
    body     text
);

CREATE FUNCTION kyb.stored_answer(p_key text, p_fingerprint text) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    stored kyb.idempotency_keys;
BEGIN
    SELECT * INTO stored FROM kyb.idempotency_keys k
    WHERE k.key = p_key AND k.created_at >= now() - interval '24 hours';
    IF NOT FOUND THEN
        RETURN ROW ('done', NULL, NULL, NULL)::kyb.write_result;
    ELSIF stored.fingerprint <> p_fingerprint THEN
        RETURN ROW ('key_reused', NULL, NULL, NULL)::kyb.write_result;
    END IF;
    RETURN ROW ('replayed', stored.status, stored.location, stored.body)::kyb.write_result;
END $$;

-- To be called first in a transaction; anything but `done` means: write nothing. Two requests with one key meet at the
-- INSERT: the second waits there for the first one's commit and then finds its answer, or its rollback and then wins.
CREATE FUNCTION kyb.claim_key(p_tenant text, p_key kyb.idempotency, p_object uuid) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
BEGIN
    IF p_key.key IS NULL THEN
        RETURN ROW ('done', NULL, NULL, NULL)::kyb.write_result;
    END IF;
    INSERT INTO kyb.idempotency_keys AS k (tenant_id, key, fingerprint, status, location, body, object_id, created_at)
    VALUES (p_tenant, p_key.key, p_key.fingerprint, p_key.status, p_key.location, p_key.body, p_object, now())
    ON CONFLICT (tenant_id, key) DO UPDATE
    SET (fingerprint, status, location, body, object_id, created_at) =
        (excluded.fingerprint, excluded.status, excluded.location, excluded.body, excluded.object_id, excluded.created_at)
    WHERE k.created_at < now() - interval '24 hours';
    IF NOT FOUND THEN
        RETURN kyb.stored_answer(p_key.key, p_key.fingerprint);
    END IF;
    -- Every new key sweeps up to two expired ones, so the table stays as large as a day's keys without a job of its own.
    DELETE FROM kyb.idempotency_keys WHERE (tenant_id, key) IN (
        SELECT k.tenant_id, k.key FROM kyb.idempotency_keys k
        WHERE k.tenant_id = p_tenant AND k.created_at < now() - interval '24 hours'
        ORDER BY k.created_at LIMIT 2 FOR UPDATE SKIP LOCKED
    );
    RETURN ROW ('done', NULL, NULL, NULL)::kyb.write_result;
END $$;
