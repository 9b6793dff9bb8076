-- Functions 0009 to 0012 are what the programs call. Each sets the tenant for its own transaction and does all its work,
-- so a call is one statement in one implicit transaction, and nothing stays set on a pooled connection, however the
-- call ends. They run with the caller's rights (SECURITY INVOKER), so row-level security applies inside; reads do not
-- name the tenant again. Every name is qualified, so they need no search_path of their own.

CREATE FUNCTION kyb.index_business(p_tenant text, p_id uuid, p_words text[], p_tax_ids bytea[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM kyb.business_words WHERE business_id = p_id AND word <> ALL (p_words);
    DELETE FROM kyb.business_tax_ids WHERE business_id = p_id AND hash <> ALL (p_tax_ids);
    INSERT INTO kyb.business_words (tenant_id, word, business_id)
    SELECT p_tenant, word, p_id FROM unnest(p_words) AS word ON CONFLICT DO NOTHING;
    INSERT INTO kyb.business_tax_ids (tenant_id, hash, business_id)
    SELECT p_tenant, hash, p_id FROM unnest(p_tax_ids) AS hash ON CONFLICT DO NOTHING;
END $$;

CREATE FUNCTION kyb.create_business(
    p_tenant text, p_id uuid, p_context text, p_profile jsonb, p_revision bigint, p_created_at timestamptz,
    p_updated_at timestamptz, p_words text[], p_tax_ids bytea[], p_audit kyb.audit_entry, p_key kyb.idempotency
) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    result := kyb.claim_key(p_tenant, p_key, p_id);
    IF result.outcome = 'done' THEN
        INSERT INTO kyb.businesses (tenant_id, id, context, profile, word_count, revision, created_at, updated_at)
        VALUES (p_tenant, p_id, p_context, p_profile, cardinality(p_words), p_revision, p_created_at, p_updated_at);
        PERFORM kyb.index_business(p_tenant, p_id, p_words, p_tax_ids);
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END IF;
    RETURN result;
END $$;

CREATE FUNCTION kyb.business(p_tenant text, p_id uuid) RETURNS SETOF kyb.businesses
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.businesses b WHERE b.id = p_id;
END $$;

-- No row: there is no such business. A row whose revision is not the expected one plus one: it was changed by somebody
-- else, and nothing was written. The event's detail gets the new revision, which only this statement knows.
CREATE FUNCTION kyb.update_business(
    p_tenant text, p_id uuid, p_profile jsonb, p_expected bigint, p_now timestamptz, p_words text[],
    p_tax_ids bytea[], p_audit kyb.audit_entry
) RETURNS TABLE (conflict boolean, updated kyb.businesses)
LANGUAGE plpgsql AS $$
DECLARE
    current kyb.businesses;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    SELECT * INTO current FROM kyb.businesses b WHERE b.id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    ELSIF current.revision <> p_expected THEN
        RETURN QUERY SELECT true, current;
        RETURN;
    END IF;
    UPDATE kyb.businesses b
    SET profile = p_profile, word_count = cardinality(p_words), revision = b.revision + 1, updated_at = p_now
    WHERE b.id = p_id RETURNING * INTO current;
    PERFORM kyb.index_business(p_tenant, p_id, p_words, p_tax_ids);
    p_audit.detail := format('{"revision":%s}', current.revision);
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN QUERY SELECT false, current;
END $$;

CREATE FUNCTION kyb.delete_business(p_tenant text, p_id uuid, p_audit kyb.audit_entry) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    DELETE FROM kyb.businesses WHERE id = p_id;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN true;
END $$;

-- Newest first. `plan_cache_mode`: the conditions not asked for must be folded away before planning, or none of the
-- indexes is used.
CREATE FUNCTION kyb.list_businesses(p_tenant text, p_tax_id bytea, p_context text, p_after uuid, p_most integer)
RETURNS SETOF kyb.businesses
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.businesses b
    WHERE (p_context IS NULL OR b.context = p_context)
      AND (p_after IS NULL OR b.id < p_after)
      AND (p_tax_id IS NULL OR b.id IN (SELECT t.business_id FROM kyb.business_tax_ids t WHERE t.hash = p_tax_id))
    ORDER BY b.id DESC LIMIT p_most;
END $$;

-- Businesses that have all the words, those with the fewest others first, then by id. A page goes on after the place of
-- `p_after`; if that business is gone meanwhile, the first page comes again.
CREATE FUNCTION kyb.search_businesses(
    p_tenant text, p_words text[], p_tax_id bytea, p_context text, p_after uuid, p_most integer
) RETURNS SETOF kyb.businesses
LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    after_count integer;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    SELECT b.word_count INTO after_count FROM kyb.businesses b WHERE b.id = p_after;
    RETURN QUERY SELECT b.* FROM kyb.businesses b
    WHERE b.id IN (
            SELECT w.business_id FROM kyb.business_words w WHERE w.word = ANY (p_words)
            GROUP BY w.business_id HAVING count(*) = cardinality(p_words)
        )
      AND (p_context IS NULL OR b.context = p_context)
      AND (p_tax_id IS NULL OR b.id IN (SELECT t.business_id FROM kyb.business_tax_ids t WHERE t.hash = p_tax_id))
      AND (after_count IS NULL OR (b.word_count, b.id) > (after_count, p_after))
    ORDER BY b.word_count, b.id LIMIT p_most;
END $$;
