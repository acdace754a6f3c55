--
-- The state machine of a NIC (src/nic/nic_state.c)
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
The moves of strategy Start are those of CloudStack''s Nic.java; RemoveRequested, and the one-step moves of the other strategies, are what its NetworkOrchestrator does. The guard of an inventory allows these moves and no others.';

CREATE FUNCTION vmnet.nic_next_state(state text, event text, strategy text DEFAULT 'Start')
RETURNS text
AS 'MODULE_PATHNAME', 'nic_next_state'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet.nic_next_state(text, text, text) IS
'State that an event leads to, or NULL where there is no such move or an argument is NULL
Names are spelled exactly as nic_state_transitions() has them; one that is unknown is an error (22023).';
