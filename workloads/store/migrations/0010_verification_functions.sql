-- What a finished verification found, for the tables beside the document. Arrays of equal length; the codes of a check
-- and the lists of a screening are joined by spaces, since arrays of arrays of different lengths do not exist.
CREATE TYPE kyb.findings AS (
    outcome            text,
    risk_score         smallint,
    rule               text,
    policy_version     text,
    reasons            text[],
    check_names        text[],
    check_statuses     text[],
    check_reasons      text[],
    screening_ids      uuid[],
    screening_statuses text[],
    screening_lists    text[]
);

CREATE FUNCTION kyb.store_findings(p_tenant text, p_id uuid, p_findings kyb.findings, p_at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kyb.checks (tenant_id, verification_id, name, status, reasons)
    SELECT p_tenant, p_id, c.name, c.status, string_to_array(c.reasons, ' ')
    FROM unnest(p_findings.check_names, p_findings.check_statuses, p_findings.check_reasons)
        AS c (name, status, reasons);
    INSERT INTO kyb.screenings (tenant_id, id, verification_id, status, list_versions, created_at)
    SELECT p_tenant, s.id, p_id, s.status, string_to_array(s.lists, ' '), p_at
    FROM unnest(p_findings.screening_ids, p_findings.screening_statuses, p_findings.screening_lists)
        AS s (id, status, lists);
    INSERT INTO kyb.decisions (tenant_id, verification_id, outcome, rule, policy_version, reasons, decided_at)
    VALUES (p_tenant, p_id, p_findings.outcome, p_findings.rule, p_findings.policy_version, p_findings.reasons, p_at);
END $$;

-- Stores a verification of any status; with findings, also its checks, screenings and decision; queued if pending.
CREATE FUNCTION kyb.record_verification(
    p_tenant text, p_id uuid, p_business uuid, p_context text, p_status text, p_document text,
    p_created_at timestamptz, p_completed_at timestamptz, p_findings kyb.findings,
    p_audit kyb.audit_entry, p_key kyb.idempotency
) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    result := kyb.claim_key(p_tenant, p_key, p_id);
    IF result.outcome <> 'done' THEN
        RETURN result;
    END IF;
    INSERT INTO kyb.verifications (tenant_id, id, business_id, context, status, document, outcome, risk_score,
        created_at, completed_at)
    VALUES (p_tenant, p_id, p_business, p_context, p_status, p_document, p_findings.outcome, p_findings.risk_score,
        p_created_at, p_completed_at);
    IF p_findings.outcome IS NOT NULL THEN
        PERFORM kyb.store_findings(p_tenant, p_id, p_findings, p_completed_at);
    ELSIF p_status = 'pending' THEN
        INSERT INTO kyb.jobs (tenant_id, verification_id) VALUES (p_tenant, p_id);
    END IF;
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN result;
END $$;

CREATE FUNCTION kyb.verification_document(p_tenant text, p_id uuid) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN (SELECT v.document FROM kyb.verifications v WHERE v.id = p_id);
END $$;

CREATE FUNCTION kyb.verification_documents_of(p_tenant text, p_business uuid, p_most integer) RETURNS SETOF text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT v.document FROM kyb.verifications v
    WHERE v.business_id = p_business ORDER BY v.id DESC LIMIT p_most;
END $$;

CREATE FUNCTION kyb.record_screening(
    p_tenant text, p_id uuid, p_status text, p_document text, p_lists text[], p_created_at timestamptz,
    p_audit kyb.audit_entry, p_key kyb.idempotency
) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    result := kyb.claim_key(p_tenant, p_key, p_id);
    IF result.outcome = 'done' THEN
        INSERT INTO kyb.screenings (tenant_id, id, status, document, list_versions, created_at)
        VALUES (p_tenant, p_id, p_status, p_document, p_lists, p_created_at);
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END IF;
    RETURN result;
END $$;

-- A screening's own document, or that of the verification it is part of.
CREATE FUNCTION kyb.screening_document(p_tenant text, p_id uuid) RETURNS TABLE (own text, of_verification text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT s.document, v.document FROM kyb.screenings s
    LEFT JOIN kyb.verifications v ON v.tenant_id = s.tenant_id AND v.id = s.verification_id
    WHERE s.id = p_id;
END $$;
