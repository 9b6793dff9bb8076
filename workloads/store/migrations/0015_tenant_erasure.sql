-- Erasing a tenant: every row of it but its audit chain, which holds ids and outcomes and can't be changed. A row here is
-- the tombstone: from the moment it exists nothing can be stored for the tenant any more, and its id is never used again.
-- It is a table of the installation, not of a tenant: it says nothing but that there was one.
CREATE TABLE kyb.tenant_erasures (
    tenant       text COLLATE "C" PRIMARY KEY,
    requested_at timestamptz NOT NULL DEFAULT now(),
    -- When nothing was left.
    finished_at  timestamptz,
    -- How many rows were deleted so far.
    rows         bigint NOT NULL DEFAULT 0
);

-- Refuses to store anything for a tenant under erasure, with a state of its own (KYB01). Once a transaction: the shared
-- lock is held to its end, so whoever passed is through before an erasure begins, and whoever comes after it finds the
-- tombstone. 1802068324 is the class of these locks; two tenants whose names hash alike only wait for each other.
CREATE FUNCTION kyb.refuse_erased() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    asking text := kyb.current_tenant();
BEGIN
    IF asking IS NULL OR asking = current_setting('kyb.not_erased', true) THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(1802068324, hashtext(asking));
    IF EXISTS (SELECT FROM kyb.tenant_erasures e WHERE e.tenant = asking) THEN
        RAISE EXCEPTION 'tenant % was erased; its id can not be used again', asking USING ERRCODE = 'KYB01';
    END IF;
    PERFORM set_config('kyb.not_erased', asking, true);
    RETURN NULL;
END $$;

-- What was checked, decided and counted can be deleted where its tenant was erased, and nowhere else: the policies are
-- restrictive, they can only take rows away from what the tenant's own policy shows.
DO $$
DECLARE
    relation text;
BEGIN
    FOREACH relation IN ARRAY ARRAY[
        'businesses', 'business_words', 'business_tax_ids', 'verifications', 'checks', 'decisions', 'screenings',
        'audit_events', 'idempotency_keys', 'api_usage'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER refuse_erased BEFORE INSERT ON kyb.%I FOR EACH STATEMENT '
            'EXECUTE FUNCTION kyb.refuse_erased()', relation);
    END LOOP;
    FOREACH relation IN ARRAY ARRAY['verifications', 'checks', 'decisions', 'screenings', 'api_usage'] LOOP
        EXECUTE format(
            'CREATE POLICY deleted_only_of_the_erased ON kyb.%I AS RESTRICTIVE FOR DELETE '
            'USING (EXISTS (SELECT FROM kyb.tenant_erasures e WHERE e.tenant = tenant_id))', relation);
        EXECUTE format('GRANT DELETE ON kyb.%I TO kyb_runtime', relation);
    END LOOP;
END $$;

-- Begins an erasure: the last event of the tenant's chain, then the tombstone. Waits for every transaction that is storing
-- something for the tenant. Nothing happens where it began before.
CREATE FUNCTION kyb.request_erasure(p_tenant text, p_audit kyb.audit_entry) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    PERFORM pg_advisory_xact_lock(1802068324, hashtext(p_tenant));
    IF NOT EXISTS (SELECT FROM kyb.tenant_erasures e WHERE e.tenant = p_tenant) THEN
        PERFORM kyb.append_audit(p_tenant, p_audit);
        INSERT INTO kyb.tenant_erasures (tenant) VALUES (p_tenant);
    END IF;
END $$;

-- Deletes up to so many rows of each table, in this order; how many in all. 0: nothing was left, and the erasure is finished. To be called
-- until then, from anywhere and as often as one likes. Jobs first, as everywhere: a worker that holds one finds its lease
-- gone and stores nothing. What hangs on a business goes before it, so that its deletion cascades to nothing and every row is counted.
CREATE FUNCTION kyb.erase_tenant(p_tenant text, p_most integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    relation text;
    deleted bigint;
    all_deleted bigint := 0;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    PERFORM FROM kyb.tenant_erasures e WHERE e.tenant = p_tenant FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the erasure of tenant % was not requested', p_tenant USING ERRCODE = 'KYB02';
    END IF;
    FOREACH relation IN ARRAY ARRAY[
        'jobs', 'idempotency_keys', 'api_usage', 'checks', 'decisions', 'screenings', 'verifications',
        'business_words', 'business_tax_ids', 'businesses'
    ] LOOP
        EXECUTE format(
            'DELETE FROM kyb.%1$I WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM kyb.%1$I t WHERE t.tenant_id = $1 LIMIT $2))',
            relation) USING p_tenant, p_most;
        GET DIAGNOSTICS deleted = ROW_COUNT;
        all_deleted := all_deleted + deleted;
        EXIT WHEN deleted >= p_most; -- there may be more of these, and they go first
    END LOOP;
    UPDATE kyb.tenant_erasures e
    SET rows = e.rows + all_deleted,
        finished_at = CASE WHEN all_deleted = 0 THEN coalesce(e.finished_at, clock_timestamp()) ELSE e.finished_at END
    WHERE e.tenant = p_tenant;
    RETURN all_deleted;
END $$;

REVOKE EXECUTE ON FUNCTION kyb.refuse_erased(), kyb.request_erasure(text, kyb.audit_entry),
    kyb.erase_tenant(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kyb.refuse_erased(), kyb.request_erasure(text, kyb.audit_entry),
    kyb.erase_tenant(text, integer) TO kyb_runtime;
-- A tombstone is never taken away.
GRANT SELECT, INSERT, UPDATE ON kyb.tenant_erasures TO kyb_runtime;
GRANT SELECT ON kyb.tenant_erasures TO kyb_reader;
