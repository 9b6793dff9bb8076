-- Businesses. Ids are UUIDv7, which sort by time, so the primary key is also the index over (tenant, created).
CREATE TABLE kyb.businesses (
    tenant_id  text COLLATE "C" NOT NULL,
    id         uuid NOT NULL,
    context    text,
    profile    jsonb NOT NULL,
    -- How many different words its names have: the fewer, the nearer it is to what was searched.
    word_count integer NOT NULL,
    revision   bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- The words of legal and trading names, folded by the program (lower case, no accents), so that the database's locale
-- plays no part. A table and not a tsvector with a GIN index, because under row-level security the planner may use an
-- index only with operators that are marked leakproof: `=` is, `@@` is not, and the GIN index would never be used
-- (docs/decisions/0006-words-instead-of-gin.md).
CREATE TABLE kyb.business_words (
    tenant_id   text COLLATE "C" NOT NULL,
    word        text COLLATE "C" NOT NULL,
    business_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, word, business_id),
    FOREIGN KEY (tenant_id, business_id) REFERENCES kyb.businesses ON DELETE CASCADE
);
-- For the cascade.
CREATE INDEX business_words_of ON kyb.business_words (tenant_id, business_id);

-- SHA-256 over tenant and normalised tax number: found by equality, and two tenants' rows for one number differ.
CREATE TABLE kyb.business_tax_ids (
    tenant_id   text COLLATE "C" NOT NULL,
    hash        bytea NOT NULL CHECK (octet_length(hash) = 32),
    business_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, hash, business_id),
    FOREIGN KEY (tenant_id, business_id) REFERENCES kyb.businesses ON DELETE CASCADE
);
CREATE INDEX business_tax_ids_of ON kyb.business_tax_ids (tenant_id, business_id);
