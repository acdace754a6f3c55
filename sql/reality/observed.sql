--
-- Records of payloads
--

-- This file is joined before those whose functions return the type.

-- A record of a payload, as texts: what a reader of a kind returns.  A reader leaves
-- out what is no record, and gives a reason for what it cannot read.
CREATE TYPE vmnet_internal.observed AS (
	mac text,
	ip text,
	segment text,
	device text,
	domain text,
	domain_uuid text,
	nic_uuid text,
	host text,
	place text,
	reason text,
	raw text
);
COMMENT ON TYPE vmnet_internal.observed IS
'Record of a payload, before its values are read';
