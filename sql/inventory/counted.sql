--
-- Numbers in messages
--

CREATE FUNCTION vmnet_internal.counted(number bigint, one text, several text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT number || ' ' || CASE number WHEN 1 THEN one ELSE several END $$;
COMMENT ON FUNCTION vmnet_internal.counted(bigint, text, text) IS
'Part of messages: a number and what is counted, "1 row" or "2 rows"; counted() in C does the same';
