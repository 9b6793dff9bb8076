-- The audit chain: one per tenant, each event hashed together with the hash of the one before it.
CREATE TABLE kyb.audit_events (
    tenant_id     text COLLATE "C" NOT NULL,
    sequence      bigint NOT NULL CHECK (sequence > 0),
    at            timestamptz NOT NULL,
    actor_kind    text NOT NULL,
    actor_id      text NOT NULL,
    action        text NOT NULL,
    object        text NOT NULL,
    request_id    text,
    -- JSON text as it was hashed. Never personal data: it can't be erased from here.
    detail        text NOT NULL,
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX audit_events_by_time ON kyb.audit_events (tenant_id, at);

-- The second fence; the first is that no role of ours but the owner has these privileges. The owner and a superuser can
-- take the trigger away: then the chain shows what was changed.
CREATE FUNCTION kyb.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events can only be appended' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON kyb.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION kyb.refuse_change();

-- A field of the text that is hashed: its length in bytes, a colon, itself, a comma (a netstring); `-,` for NULL. No two
-- different events have the same text. The program computes the same by itself (src/audit/chain.rs).
CREATE FUNCTION kyb.netstring(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(octet_length(p_text)::text || ':' || p_text, '-') || ',';

CREATE FUNCTION kyb.audit_hash(p_event kyb.audit_events) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(
    kyb.netstring('kyb-audit-1')
    || kyb.netstring((p_event).tenant_id)
    || kyb.netstring((p_event).sequence::text)
    || kyb.netstring(((extract(epoch FROM (p_event).at) * 1000000)::bigint)::text)
    || kyb.netstring((p_event).actor_kind)
    || kyb.netstring((p_event).actor_id)
    || kyb.netstring((p_event).action)
    || kyb.netstring((p_event).object)
    || kyb.netstring((p_event).request_id)
    || kyb.netstring((p_event).detail)
    || kyb.netstring(encode((p_event).previous_hash, 'hex')), 'UTF8'));

-- Who did what to what.
CREATE TYPE kyb.audit_entry AS (
    actor_kind text,
    actor_id   text,
    action     text,
    object     text,
    request_id text,
    detail     text
);

-- Appends to the tenant's chain. To be called last in a transaction: from here to the commit every other writer of the
-- tenant waits, which is what keeps the chain without gaps and forks. 1802068322 is the class of these locks; two
-- tenants whose names hash alike only wait for each other.
--
-- The lock is held during the commit, and a commit that waits for the disk (0.1 to 10 ms) would let a tenant write only
-- once in that time. So this commit does not wait: whoever called acknowledges nothing before `kyb.make_durable()`, which
-- waits without any lock and together with all others (docs/decisions/0007-durable-after-the-lock.md).
CREATE FUNCTION kyb.append_audit(p_tenant text, p_entry kyb.audit_entry) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    event kyb.audit_events;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(1802068322, hashtext(p_tenant));
    SELECT sequence, hash INTO event.sequence, event.previous_hash
    FROM kyb.audit_events WHERE tenant_id = p_tenant ORDER BY sequence DESC LIMIT 1;
    event.tenant_id := p_tenant;
    event.sequence := coalesce(event.sequence, 0) + 1;
    event.previous_hash := coalesce(event.previous_hash, decode(repeat('00', 32), 'hex'));
    event.at := clock_timestamp();
    event.actor_kind := p_entry.actor_kind;
    event.actor_id := p_entry.actor_id;
    event.action := p_entry.action;
    event.object := p_entry.object;
    event.request_id := p_entry.request_id;
    event.detail := p_entry.detail;
    event.hash := kyb.audit_hash(event);
    INSERT INTO kyb.audit_events SELECT event.*;
END $$;

-- Returns when everything that was committed before is on disk (and at the synchronous standbys, where there are any):
-- the log is written in order, so the commit of this small record carries all earlier ones with it.
CREATE FUNCTION kyb.make_durable() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_logical_emit_message(true, 'kyb', '');
END $$;
