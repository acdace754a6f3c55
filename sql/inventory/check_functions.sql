--
-- Conditions of CHECK constraints.  Who writes to a table needs EXECUTE, so PUBLIC
-- has it.  A dump of an inventory names these functions: their names and arguments
-- do not change.
--

CREATE FUNCTION vmnet_internal.nic_state_valid(state text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'nic_state_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.nic_state_valid(text) IS
'Condition of the CHECK nic_state_valid: whether a text is a state of vmnet.nic_state_transitions(), exactly spelled; NULL for NULL';

CREATE FUNCTION vmnet_internal.nic_strategy_valid(strategy text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'nic_strategy_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.nic_strategy_valid(text) IS
'Condition of the CHECK nic_strategy_valid: whether a text is PlaceHolder, Create, Start or Managed, exactly spelled; NULL for NULL';

CREATE FUNCTION vmnet_internal.ip4_address_valid(address inet)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ip4_address_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.ip4_address_valid(inet) IS
'Condition of CHECKs of columns ip4_address: whether an inet is one IPv4 address, without a prefix length; NULL for NULL';

CREATE FUNCTION vmnet_internal.ip6_address_valid(address inet)
RETURNS boolean
AS 'MODULE_PATHNAME', 'ip6_address_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION vmnet_internal.ip6_address_valid(inet) IS
'Condition of CHECKs of columns ip6_address: whether an inet is one IPv6 address, without a prefix length; NULL for NULL';
