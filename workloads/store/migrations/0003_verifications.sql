-- Verifications. `document` is the JSON text exactly as it is answered, so that reading one is a look-up by primary key
-- and no work; the columns beside it are what is searched and counted. No foreign key to businesses: a verification
-- outlives its business.
CREATE TABLE kyb.verifications (
    tenant_id    text COLLATE "C" NOT NULL,
    id           uuid NOT NULL,
    business_id  uuid,
    context      text,
    status       text NOT NULL CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled', 'expired')),
    document     text NOT NULL,
    outcome      text CHECK (outcome IN ('approve', 'review', 'reject')),
    risk_score   smallint CHECK (risk_score BETWEEN 0 AND 100),
    created_at   timestamptz NOT NULL,
    completed_at timestamptz,
    -- When the personal data in `document` was blanked.
    erased_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((status = 'completed') = (outcome IS NOT NULL))
)
-- Documents up to 8 kB stay in the row, uncompressed: one page read, no TOAST look-up, no CPU for compression.
WITH (toast_tuple_target = 8160);
ALTER TABLE kyb.verifications ALTER COLUMN document SET STORAGE MAIN;

-- A business's verifications by time (ids are UUIDv7).
CREATE INDEX verifications_of ON kyb.verifications (tenant_id, business_id, id) WHERE business_id IS NOT NULL;

-- Outcome of each check: what reports count. Reasons are codes only.
CREATE TABLE kyb.checks (
    tenant_id       text COLLATE "C" NOT NULL,
    verification_id uuid NOT NULL,
    name            text NOT NULL,
    status          text NOT NULL CHECK (status IN ('success', 'warning', 'failure', 'error', 'skipped')),
    reasons         text[] NOT NULL,
    PRIMARY KEY (tenant_id, verification_id, name)
);

CREATE TABLE kyb.decisions (
    tenant_id       text COLLATE "C" NOT NULL,
    verification_id uuid NOT NULL,
    outcome         text NOT NULL CHECK (outcome IN ('approve', 'review', 'reject')),
    rule            text NOT NULL,
    policy_version  text NOT NULL,
    reasons         text[] NOT NULL,
    decided_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, verification_id)
);

-- A screening asked for by itself has its own document; one that is part of a verification stands in that one's.
CREATE TABLE kyb.screenings (
    tenant_id       text COLLATE "C" NOT NULL,
    id              uuid NOT NULL,
    verification_id uuid,
    status          text NOT NULL CHECK (status IN ('no_hit', 'in_review', 'error')),
    document        text,
    -- `list@version` of each list that was searched.
    list_versions   text[] NOT NULL,
    created_at      timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CHECK ((verification_id IS NULL) = (document IS NOT NULL))
);
