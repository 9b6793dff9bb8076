-- Whose rows a transaction may see. The functions that the programs call set `kyb.tenant` for their own transaction only
-- (`set_config(…, true)`); every policy compares with this function.
--
-- It fails closed: never set is NULL, set in an earlier transaction of the connection is '', and both become NULL, which
-- equals no tenant. So a statement without a tenant reads nothing and may write nothing.
--
-- The body is parsed now (RETURN …, not a string), so nobody's search_path can change what it calls.
CREATE FUNCTION kyb.current_tenant() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(pg_catalog.current_setting('kyb.tenant', true), '');

