--
-- The state machine of a NIC (src/nic/nic_machine.h)
--

CREATE FUNCTION vmnet.nic_state_transitions(
	OUT strategy text,
	OUT from_state text,
	OUT event text,
	OUT to_state text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'nic_state_transitions'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 29;
COMMENT ON FUNCTION vmnet.nic_state_transitions() IS
'Every move that a NIC can make: strategy, state before, event, state after
The moves of strategy Start are those of CloudStack''s Nic.java; RemoveRequested, and the one-step moves of the other strategies, are '
'what its NetworkOrchestrator does. The guard of an inventory allows these moves and no others.';

CREATE FUNCTION vmnet.nic_next_state(state text, event text, strategy text DEFAULT 'Start')
RETURNS text
AS 'MODULE_PATHNAME', 'nic_next_state'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet.nic_next_state(text, text, text) IS
'State that an event leads to, or NULL where there is no such move or an argument is NULL
Names are spelled exactly as nic_state_transitions() has them; one that is unknown is an error (22023).';

-- The states, for SQL: a test compares them with those of the C file.
-- sort: steady; passing, a state that a NIC is in for a moment only and can be
-- stuck in; ending.
-- table of data
CREATE FUNCTION vmnet_internal.nic_states()
RETURNS TABLE (ord int, state text, sort text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
VALUES
(1, 'Allocated', 'steady'),
(2, 'Reserving', 'passing'),
(3, 'Reserved', 'steady'),
(4, 'Releasing', 'passing'),
(5, 'Deallocating', 'ending')
$$;
COMMENT ON FUNCTION vmnet_internal.nic_states() IS
'States of a NIC: the list that constraints, views, checks and reports are made from
sort is steady, passing (a NIC can be stuck in it) or ending.';

CREATE FUNCTION vmnet_internal.nic_state_list(sorts text[] DEFAULT NULL)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT string_agg(quote_literal(s.state), ', ' ORDER BY s.ord)
FROM vmnet_internal.nic_states() s
WHERE $1 IS NULL OR s.sort = ANY ($1)
$$;
COMMENT ON FUNCTION vmnet_internal.nic_state_list(text[]) IS
'States of a NIC as literals, separated by commas
sorts: only those of these sorts; NULL: all.';

CREATE FUNCTION vmnet_internal.nic_state_fill(query text)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT replace(replace(replace(replace($1,
	'{states}', vmnet_internal.nic_state_list()),
	'{active states}', vmnet_internal.nic_state_list('{steady,passing}')),
	'{steady states}', vmnet_internal.nic_state_list('{steady}')),
	'{passing states}', vmnet_internal.nic_state_list('{passing}'))
$$;
COMMENT ON FUNCTION vmnet_internal.nic_state_fill(text) IS
'A query with lists of states in place of {states}, {active states}, {steady states} and {passing states}';
