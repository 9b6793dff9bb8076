-- Erasure goes in three steps that may be repeated: read documents that still hold personal data, write them back
-- blanked (the program knows their shape), and, when none is left, delete the business.

-- NULL documents never come; no row at all means that nothing is left to blank.
CREATE FUNCTION kyb.documents_to_blank(p_tenant text, p_business uuid, p_most integer)
RETURNS TABLE (id uuid, document text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT v.id, v.document FROM kyb.verifications v
    WHERE v.business_id = p_business AND v.erased_at IS NULL
      AND EXISTS (SELECT FROM kyb.businesses b WHERE b.id = p_business)
    ORDER BY v.id LIMIT p_most;
END $$;

-- The answers kept for idempotency keys hold the same data; what is left of them is the object's id.
CREATE FUNCTION kyb.blank_answers(p_objects uuid[]) RETURNS void
LANGUAGE sql AS $$
    UPDATE kyb.idempotency_keys SET body = '{"erased":true}' WHERE object_id = ANY (p_objects);
$$;

-- Jobs first, as everywhere, so that a worker and an erasure never wait for each other in a ring. A worker that holds
-- such a job finds its lease gone and stores nothing.
CREATE FUNCTION kyb.blank_documents(p_tenant text, p_ids uuid[], p_statuses text[], p_documents text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    DELETE FROM kyb.jobs j WHERE j.tenant_id = p_tenant AND j.verification_id = ANY (p_ids);
    -- A verification that was finished since it was read is left for the next round.
    UPDATE kyb.verifications v SET document = d.document, status = d.status, erased_at = now()
    FROM unnest(p_ids, p_statuses, p_documents) AS d (id, status, document)
    WHERE v.id = d.id AND (v.status = d.status OR d.status = 'cancelled' AND v.status IN ('pending', 'running'));
    PERFORM kyb.blank_answers(p_ids);
END $$;

-- How many verifications of the business were blanked; NULL: there is no such business; -1: something is left to blank.
CREATE FUNCTION kyb.erase_business(p_tenant text, p_id uuid, p_audit kyb.audit_entry) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    blanked bigint;
    remaining bigint;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    PERFORM FROM kyb.businesses b WHERE b.id = p_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT count(v.erased_at), count(*) - count(v.erased_at) INTO blanked, remaining
    FROM kyb.verifications v WHERE v.business_id = p_id;
    IF remaining > 0 THEN
        RETURN -1;
    END IF;
    DELETE FROM kyb.businesses b WHERE b.id = p_id;
    PERFORM kyb.blank_answers(ARRAY[p_id]);
    p_audit.detail := format('{"verifications":%s}', blanked);
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN blanked;
END $$;
