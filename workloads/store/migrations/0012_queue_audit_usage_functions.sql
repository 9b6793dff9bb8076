CREATE FUNCTION kyb.with_status(p_document text, p_status text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN jsonb_set(p_document::jsonb, '{status}', to_jsonb(p_status))::text;

-- Takes the job that has been due longest. The tenant is set only after the job is known.
CREATE FUNCTION kyb.take_job(p_lease uuid, p_lease_for interval)
RETURNS TABLE (tenant text, attempt smallint, document text)
LANGUAGE plpgsql AS $$
DECLARE
    job kyb.jobs;
BEGIN
    SELECT * INTO job FROM kyb.jobs j WHERE j.due_at <= clock_timestamp()
    ORDER BY j.due_at LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('kyb.tenant', job.tenant_id, true);
    UPDATE kyb.jobs j
    SET attempt = j.attempt + 1, status = 'taken', lease = p_lease, due_at = clock_timestamp() + p_lease_for
    WHERE j.tenant_id = job.tenant_id AND j.verification_id = job.verification_id;
    RETURN QUERY UPDATE kyb.verifications v SET status = 'running', document = kyb.with_status(v.document, 'running')
    WHERE v.id = job.verification_id
    RETURNING job.tenant_id, (job.attempt + 1)::smallint, v.document;
END $$;

-- False, and nothing done, where the lease is not ours any more.
CREATE FUNCTION kyb.finish_job(
    p_tenant text, p_id uuid, p_lease uuid, p_status text, p_document text, p_completed_at timestamptz,
    p_findings kyb.findings, p_audit kyb.audit_entry
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    DELETE FROM kyb.jobs j WHERE j.tenant_id = p_tenant AND j.verification_id = p_id AND j.lease = p_lease;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE kyb.verifications v
    SET status = p_status, document = p_document, completed_at = p_completed_at,
        outcome = p_findings.outcome, risk_score = p_findings.risk_score
    WHERE v.id = p_id;
    IF p_findings.outcome IS NOT NULL THEN
        PERFORM kyb.store_findings(p_tenant, p_id, p_findings, p_completed_at);
    END IF;
    PERFORM kyb.append_audit(p_tenant, p_audit);
    RETURN true;
END $$;

-- Puts a job back for another attempt, or, after the last one, gives it up with the document given.
CREATE FUNCTION kyb.fail_job(
    p_tenant text, p_id uuid, p_lease uuid, p_attempts smallint, p_pause interval, p_failed_document text,
    p_failed_at timestamptz, p_audit kyb.audit_entry
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    taken smallint;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    SELECT j.attempt INTO taken FROM kyb.jobs j
    WHERE j.tenant_id = p_tenant AND j.verification_id = p_id AND j.lease = p_lease FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF taken < p_attempts THEN
        UPDATE kyb.jobs j SET status = 'waiting', lease = NULL, due_at = clock_timestamp() + p_pause
        WHERE j.tenant_id = p_tenant AND j.verification_id = p_id;
        UPDATE kyb.verifications v SET status = 'pending', document = kyb.with_status(v.document, 'pending')
        WHERE v.id = p_id;
        RETURN;
    END IF;
    DELETE FROM kyb.jobs j WHERE j.tenant_id = p_tenant AND j.verification_id = p_id;
    UPDATE kyb.verifications v SET status = 'failed', document = p_failed_document, completed_at = p_failed_at
    WHERE v.id = p_id;
    PERFORM kyb.append_audit(p_tenant, p_audit);
END $$;

-- An event that goes with no other write, with an idempotency key or without.
CREATE FUNCTION kyb.record_event(p_tenant text, p_audit kyb.audit_entry, p_key kyb.idempotency) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
DECLARE
    result kyb.write_result;
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    result := kyb.claim_key(p_tenant, p_key, NULL);
    IF result.outcome = 'done' THEN
        PERFORM kyb.append_audit(p_tenant, p_audit);
    END IF;
    RETURN result;
END $$;

-- A key by itself, for a request that writes nothing else.
CREATE FUNCTION kyb.remember_answer(p_tenant text, p_key kyb.idempotency) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN kyb.claim_key(p_tenant, p_key, NULL);
END $$;

-- What is kept for a key, before any work is done; `done` where nothing is.
CREATE FUNCTION kyb.answer_for(p_tenant text, p_key text, p_fingerprint text) RETURNS kyb.write_result
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN kyb.stored_answer(p_key, p_fingerprint);
END $$;

CREATE FUNCTION kyb.audit_events_after(p_tenant text, p_after bigint, p_most integer) RETURNS SETOF kyb.audit_events
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.audit_events e WHERE e.sequence > p_after ORDER BY e.sequence LIMIT p_most;
END $$;

-- In the order of the key, so that two flushes of one tenant never wait for each other in a ring.
CREATE FUNCTION kyb.add_usage(
    p_tenant text, p_hours timestamptz[], p_endpoints text[], p_requests bigint[], p_errors bigint[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    INSERT INTO kyb.api_usage AS u (tenant_id, hour, endpoint, requests, errors)
    SELECT p_tenant, date_trunc('hour', r.hour, 'UTC'), r.endpoint, sum(r.requests), sum(r.errors)
    FROM unnest(p_hours, p_endpoints, p_requests, p_errors) AS r (hour, endpoint, requests, errors)
    GROUP BY 2, 3 ORDER BY 2, 3
    ON CONFLICT (tenant_id, hour, endpoint)
    DO UPDATE SET requests = u.requests + excluded.requests, errors = u.errors + excluded.errors;
END $$;

CREATE FUNCTION kyb.usage_since(p_tenant text, p_since timestamptz) RETURNS SETOF kyb.api_usage
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('kyb.tenant', p_tenant, true);
    RETURN QUERY SELECT * FROM kyb.api_usage u WHERE u.hour >= p_since ORDER BY u.hour, u.endpoint;
END $$;
